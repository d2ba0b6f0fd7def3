console-nav-people = Personen
console-people-lead = Die zuletzt gekommenen zuerst.
console-people-count = { $more ->
    [yes] Mehr als { $people } Personen.
   *[no] { $count ->
        [one] { $people } Person.
       *[other] { $people } Personen.
    }
 }
console-people-find = Name, Telefon, E-Mail oder Nummer
console-people-name = Name
console-people-number = Kundennummer
console-people-language = Sprache
console-people-account = Konto
console-people-account-with = Hat ein Konto
console-people-account-without = Nur aus einer Datei
console-people-units = Geräte
console-people-recall = Rückruf
console-people-recall-open = Rückruf nicht bestätigt
console-people-recalls = { $count ->
    [one] 1 nicht bestätigt
   *[other] { $count } nicht bestätigt
 }
console-people-empty-title = Niemand passt dazu
console-people-empty-text = Personen stehen hier, wenn sie ein Gerät registrieren oder mit der Besitzerdatei des Herstellers kommen. Versuchen Sie weniger Filter oder die E-Mail.

console-person-customer = Kunde { $number }
console-person-language = Sprache
console-person-zone = Zeitzone
console-person-network = Bevorzugter Kanal
console-person-nowhere = Nicht zu erreichen
console-person-mail-stopped = Keine E-Mail: { $reason }
console-person-phone = Telefon
console-person-email = E-Mail
console-person-confirmed = Bestätigt { $day }
console-person-unconfirmed = Nicht bestätigt
console-person-address = Adresse
console-person-contract = Vertrag
console-person-phones = Telefone für Push
console-person-phones-count = { $count ->
    [0] Keines
    [one] 1 angemeldet
   *[other] { $count } angemeldet
 }
console-person-last-used = Zuletzt benutzt { $when }
console-person-account = Konto
console-person-joined = seit { $day }
console-person-disabled = Gesperrt { $when }: keine Anmeldung möglich.
console-person-sign-ins = Letzte Anmeldung
console-person-sign-ins-none = Länger nicht
console-person-sessions = { $count ->
    [one] Jetzt in 1 Browser angemeldet.
   *[other] Jetzt in { $count } Browsern angemeldet.
 }
console-person-browsers = { $count ->
    [one] 1 Browser ist bekannt.
   *[other] { $count } Browser sind bekannt.
 }
console-person-sessions-open = Wo
console-person-session = Seit { $since }, zuletzt benutzt { $seen }
console-person-first = Sagen Sie das zuerst
console-person-first-recall = { $count ->
    [one] Sagen Sie das zuerst: { $product } ist zurückgerufen.
   *[other] Sagen Sie das zuerst: { $count } Geräte sind zurückgerufen.
 }
console-person-first-text = Sagen Sie, dass es nicht mehr benutzt werden soll, und was in der Meldung steht.
console-person-units = Geräte
console-person-units-count = { $count ->
    [one] 1, registriert
   *[other] { $units }, das schlimmste zuerst
 }
console-person-units-first = Die ersten { $count } werden gezeigt.
console-person-no-units = Auf diese Person ist jetzt kein Gerät registriert.
console-person-notices = Meldungen, alle Geräte
console-person-notices-all = Alle { $count }
console-person-no-notices = Es gab noch keine Meldung.
console-person-many = mehr als 10.000
console-person-held = Zurückgehalten bis
console-person-opened = geöffnet
console-person-acknowledged = Bestätigt
console-person-read = Gelesen
console-person-unread = Noch nicht gelesen
console-person-missing = Diese Person gibt es nicht
console-person-missing-text = Vielleicht ist die Adresse falsch geschrieben.

console-seen = Sehen, was die Person sieht
console-seen-back = Zurück zur Akte
console-seen-hint = Nur zum Ansehen. Dass Sie nachgesehen haben, wird vermerkt.
console-seen-lead = Das sieht { $name } unter Meine Produkte, in der eigenen Sprache: { $language }. Handeln können Sie hier nicht.
console-seen-no-units = Es ist kein Produkt registriert.
console-seen-no-notices = Es gibt keine Meldung.

console-notes = Anrufe und Notizen
console-note-text = Notiz
console-note-hint = Was man beim nächsten Mal wissen sollte
console-note-call-text = Notiz zu diesem Anruf
console-note-call-hint = Worum es ging, was vereinbart wurde
console-note-none = Schreiben Sie, worum es ging.
console-note-keep = Notiz speichern
console-note-kept = Notiz gespeichert.
console-note-call = Anruf festhalten
console-note-call-keep = Anruf speichern
console-note-call-kept = Anruf gespeichert.
console-note-no-call = Kein Anruf
console-note-open = Läuft seit { $time }
console-note-direction = Wer rief an
console-note-in = Kunde rief an
console-note-out = wir riefen an
console-note-minutes = { $count } min
console-note-is-call = Anruf:
console-note-older = Ältere zeigen
console-note-failed = Es wurde nicht gespeichert. Was Sie schrieben, steht noch hier.
console-note-empty = Noch nichts notiert. Was hier gespeichert ist, bleibt, wie es geschrieben wurde; eine weitere Notiz berichtigt es.

console-looks = Wer nachgesehen hat
console-looks-lead = Jeder Blick des Personals in eine Akte; derselbe innerhalb von zehn Minuten ist eine Zeile.
console-looks-count = { $more ->
    [yes] Mehr als { $looks } Blicke.
   *[no] { $count ->
        [one] { $looks } Blick.
       *[other] { $looks } Blicke.
    }
 }
console-looks-staff = Alle vom Personal
console-looks-who = Wer
console-looks-what = Sah nach bei
console-looks-page = Seite
console-looks-page-record = Akte
console-looks-page-my_products = Meine Produkte, wie die Person sie sieht
console-looks-when = Wann
console-looks-all = Alle Blicke zeigen
console-looks-empty-title = Niemand hat nachgesehen
console-looks-empty-text = Öffnet jemand vom Personal die Akte eines Geräts oder einer Person, steht es hier.

console-network-nowhere = Keine bestätigte E-Mail, die Meldungen annimmt, und kein Telefon
console-network-chosen = Eigene Wahl
console-network-chosen_without = Ein anderer wurde gewählt, der jetzt nicht erreicht wird
console-network-only_way = Der einzige Weg
console-network-default = Zu Beginn, bis bekannt ist, wo nachgesehen wird
console-network-often_opened = Gelernt: { $count } der letzten { $all } dort geöffnet
console-network-often_acknowledged = Gelernt: { $count } der letzten { $all } dort bestätigt
console-network-often_signed_in = Gelernt: { $count } der letzten { $all } Anmeldungen dort
console-network-lately = Gelernt: zuletzt dort am meisten benutzt
