console-nav-product = Support Gateway
console-nav-console = Konsole
console-nav-menu = Menü
console-nav-campaigns = Kampagnen
console-nav-quarantine = Quarantäne
console-crumb = Sie sind hier
console-crumb-draft = { $kind } { $number }, Entwurf

console-refused-title = Diese Seiten sind für das Personal
console-refused-text = Ihr Konto ist das eines Besitzers. Ihre Produkte und Meldungen stehen unter Meine Produkte.
console-missing-text = Die Adresse ist vielleicht vertippt, oder der Entwurf wurde verworfen.
console-missing-home = Zu den Kampagnen

console-units = Geräte
console-units-count = { $count ->
    [one] { $units } Gerät
   *[other] { $units } Geräte
 }
console-lots-count = { $count ->
    [one] { $count } Charge
   *[other] { $count } Chargen
 }

console-kind-recall = Rückruf
console-kind-update = Update-Hinweis
console-kind-withdrawal = Rücknahme
console-state-draft = Entwurf
console-state-live = { $kind }, aktiv
console-state-superseded = { $kind }, ersetzt
console-state-withdrawn = { $kind }, zurückgenommen

console-list-lead = Rückrufe, Update-Hinweise und Rücknahmen, die neuesten zuerst.
console-list-title = Kampagne
console-list-state = Stand
console-list-product = Produkt
console-list-units = Geräte
console-list-date = Datum
console-list-empty-title = Hier stehen die Kampagnen
console-list-empty-text = Jede mit ihren Geräten und damit, wie viele Besitzer benachrichtigt wurden, sie gesehen und bestätigt haben. Entwerfen Sie einen Rückruf oder einen Update-Hinweis; eine zweite Person gibt ihn frei.

console-new-recall = Neuer Rückruf
console-new-update = Neuer Update-Hinweis
console-new-product = Welches Produkt?
console-new-text-recall = Chargen oder Seriennummern wählen Sie später. Niemand erfährt davon, bevor eine zweite Person freigibt.
console-new-text-update = Die Version wählen Sie später. Niemand erfährt davon, bevor eine zweite Person freigibt.
console-new-none = Es wurde noch kein Produkt importiert.
console-new-support = Produktmanager und Administratoren entwerfen Kampagnen. Sie können sie lesen.

console-draft-untitled = Entwurf ohne Titel
console-draft-replaces = Ersetzt
console-draft-withdraws = Nimmt zurück:
console-draft-form = Der Entwurf
console-draft-reading = Sie lesen.
console-draft-reading-text = Wenn Sie bearbeiten, zählen Sie zu den Verfassern, und eine andere Person muss freigeben.
console-draft-edit = Bearbeiten

console-steps = Schritte der Kampagne
console-step-hazard-recall = Gefahr
console-step-hazard-update = Was sich ändert
console-step-hazard-withdrawal = Grund
console-step-action-recall = Handlung und Abhilfe
console-step-action-update = Was zu tun ist
console-step-action-withdrawal = Kontakt
console-step-audience = Empfängerkreis
console-step-languages = Sprachen
console-step-approval = Freigabe
console-step-complete = Vollständig
console-step-tofix = { $count } offen
console-step-second = Zweite Person

console-field-product = Produkt
console-field-audience = Empfängerkreis
console-field-title = Titel
console-field-hazard = Gefahr
console-field-changes = Änderungen
console-field-reason = Grund
console-field-action = Was der Besitzer tut
console-field-action_text = Wie, und warum
console-field-action_text-update = Was der Besitzer tut
console-field-remedies = Abhilfe
console-field-remedy_text = Wie man die Abhilfe bekommt
console-field-contact = Kontakt
console-field-phone = Telefon
console-field-email = E-Mail
console-field-url = Webseite
console-field-in = { $field }, { $language }
console-hint-title-recall = Das Produkt und was geschehen kann, etwa „Wasserkocher: Griff kann brechen“. Die Überschrift darüber steht fest.
console-hint-title-update = Was damit besser wird, etwa „Update: Die Pumpe läuft leiser an“.
console-hint-title-withdrawal = Was zurückgenommen wird, in einer Zeile.
console-hint-hazard = Ein Satz: was wem passieren kann. Nichts, was es abschwächt.
console-hint-changes = Was sich für den Besitzer ändert. Kurze Sätze.
console-hint-reason = Warum es nicht mehr gilt, und was der Besitzer wieder tun kann.
console-hint-action_text = Die Schritte, mit dem Verb zuerst.
console-hint-action_text-update = Wie man es bekommt, wie lange es dauert, was es braucht.
console-hint-remedies = Mindestens zwei zur Wahl, wo das Gesetz es verlangt.
console-hint-remedy_text = Wohin man schreibt oder wo man anruft, wie lange es dauert. Kostenlos.
console-hint-contact = Mindestens einer. Am besten eine kostenlose Telefonnummer.
console-action-stop_using = Nicht mehr benutzen
console-action-unplug = Vom Strom trennen
console-action-keep_using_until_replaced = Weiter benutzen, bis es ersetzt ist
console-remedy-repair = Reparatur
console-remedy-replacement = Ersatz
console-remedy-refund = Geld zurück

console-audience-which = Welche Geräte
console-audience-product = Produkt ist
console-audience-and = UND
console-audience-by = Gewählt nach
console-audience-by-lots = Chargen
console-audience-by-serials = Liste von Seriennummern
console-audience-lots = Charge ist eine von
console-audience-lots-none = Dieses Produkt hat keine Chargen. Nehmen Sie eine Liste von Seriennummern.
console-audience-serials = Seriennummer ist in
console-audience-serials-hint = Eine Seriennummer pro Zeile. Leerzeichen und Striche sind egal.
console-audience-serials-count = { $count ->
    [one] { $count } Seriennummer
   *[other] { $count } Seriennummern
 }
console-audience-file = CSV-Datei einlesen
console-audience-file-read = { $count ->
    [one] { $count } Seriennummer aus { $name }
   *[other] { $count } Seriennummern aus { $name }
 }
console-audience-unknown-serials = Keine Geräte dieses Produkts:
console-audience-unknown-lots = Kein Gerät hat diese Charge:
console-audience-below = Firmware ist unter
console-audience-below-hint = Die Version, mit der sich der Hinweis erledigt, etwa 2.4.0.
console-audience-unknown_firmware = { $count ->
    [one] { $count } Gerät hat nie gemeldet, welche Firmware es hat.
   *[other] { $count } Geräte haben nie gemeldet, welche Firmware sie haben.
 }
console-audience-withdrawal = Alle Geräte von { $number }. Wer davon erfahren hat, erfährt von der Rücknahme.

console-count-recall = { $count ->
    [one] Gerät betroffen
   *[other] Geräte betroffen
 }
console-count-update = { $count ->
    [one] Gerät darunter
   *[other] Geräte darunter
 }
console-count-withdrawal = { $count ->
    [one] Gerät war betroffen
   *[other] Geräte waren betroffen
 }
console-count-at = Gezählt { $ago }
console-count-failed = Jetzt nicht gezählt
console-count-none = Wählen Sie die Geräte, dann werden sie hier gezählt.
console-count-bar = { $direct } per E-Mail oder Push erreichbar, { $feed } nur in den Meldungen, { $not } nicht registriert
console-count-registered = Registriert, direkt benachrichtigt
console-count-people = Personen
console-count-email = Geräte mit E-Mail
console-count-push = Geräte mit Push
console-count-feed = Ohne beides, nur Meldungen
console-count-unregistered = Nicht registriert
console-count-unregistered-text = Benachrichtigt, sobald jemand registriert
console-count-unregistered-text-withdrawal = Sie haben nie davon erfahren
console-count-cleared = Nicht mehr betroffen
console-count-cleared-text = Erfahren es, wenn sie vorher benachrichtigt wurden

console-checks = Prüfungen
console-checks-none = Nichts hält die Freigabe auf
console-checks-block = { $count ->
    [one] { $count } hält die Freigabe auf
   *[other] { $count } halten die Freigabe auf
 }
console-checks-blocks = Hält auf:
console-checks-note = Hinweis:
console-checks-passed = Bestanden:
console-checks-go = Zum Feld
console-checks-complete = Alles Nötige ist da
console-checks-all = Alle { $count } zeigen

console-languages-missing = { $count ->
    [one] { $count } Text fehlt
   *[other] { $count } Texte fehlen
 }
console-languages-readers = { $count ->
    [one] { $people } Besitzer liest es.
   *[other] { $people } Besitzer lesen es.
 }

console-approve-lead = { $count ->
    [one] { $people } Person besitzt { $registered } dieser { $units } Geräte und wird sofort benachrichtigt.
   *[other] { $people } Personen besitzen { $registered } dieser { $units } Geräte und werden sofort benachrichtigt.
 }
console-approve-once = Gesendetes wird nie geändert; es kann ersetzt oder zurückgenommen werden.
console-approve-type = Zahl der Geräte
console-approve-type-hint = Tippen Sie { $units }, um zu zeigen, dass Sie die Zahl gesehen haben.
console-approve-type-bad = Das ist nicht die Zahl der Geräte.
console-approve-unsaved = Warten Sie, bis das Getippte gespeichert ist.
console-approve-do-recall = Rückruf senden
console-approve-do-update = Update-Hinweis senden
console-approve-do-withdrawal = Rücknahme senden
console-approve-second = Eine zweite Person gibt frei.
console-approve-blocked = { $count ->
    [one] { $count } Prüfung hält die Freigabe auf.
   *[other] { $count } Prüfungen halten die Freigabe auf.
 }
console-approve-refused = Es wurde nicht gesendet

console-approve-wrote = Sie haben diese Kampagne entworfen oder bearbeitet.
console-approve-writers = Produktmanager und Administratoren geben frei.
console-field-supersedes = Was sie ersetzt
console-check-text = Schreiben Sie diesen Text auf { $language }.
console-check-action = Wählen Sie, was die Besitzer tun müssen.
console-check-remedies = Wählen Sie mindestens eine Abhilfe.
console-check-contact = Geben Sie eine Telefonnummer, eine Adresse oder eine Seite an, wo Besitzer fragen können.
console-check-email = Das ist keine E-Mail-Adresse.
console-check-url = Schreiben Sie die Seite als https://….
console-check-audience = Sagen Sie, wen es betrifft; noch ist kein Gerät gemeint.
console-check-unknown = Einige der Liste gibt es hier nicht. Sie stehen beim Feld.
console-check-version = Schreiben Sie eine Version als Zahlen mit Punkten, etwa 2.4.0.
console-check-firmware = Geräte mit unbekannter Firmware werden nicht benachrichtigt.
console-check-supersedes = Was sie ersetzt, ist nicht mehr veröffentlicht.

console-save = Speichern
console-saved = Gespeichert
console-saved-you = Ihnen
console-saved-at = Gespeichert um { $time } von { $who }
console-saved-soon = Getipptes wird gespeichert
console-saved-conflict = Nicht gespeichert
console-saved-failed = Nicht gespeichert
console-saved-failed-title = Das Getippte ist noch nicht gespeichert
console-saved-again = Noch einmal speichern
console-clash-title = { $who } hat diesen Entwurf um { $time } gespeichert, während Sie tippten
console-clash-text = Was Sie getippt haben, steht noch unten. Es ist nicht gespeichert.
console-clash-fields = Das unterscheidet sich: { $fields }.
console-clash-mine = Meine Fassung behalten
console-clash-theirs = Die andere übernehmen
console-bar-text = Der Empfängerkreis wird festgehalten, wenn eine zweite Person freigibt.
console-bar-approve = Zur Freigabe
console-discard = Entwurf verwerfen
console-discard-soon = „{ $name }“ wird in 8 Sekunden verworfen
console-discard-done = { $name } ist verworfen
console-discard-failed = Nicht verworfen: { $reason }

console-said = Was sie sagt
console-list-behind = Änderungen zeigen
console-list-save = Als CSV speichern
console-list-pages = Seiten dieser Liste
console-list-first = Erste Seite
console-list-next = Nächste Seite
