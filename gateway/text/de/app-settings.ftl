prefs-title = Was Sie erreicht, und wie
prefs-lead = Alles wird immer unter Meldungen aufgehoben. Hier wählen Sie, was außerdem zu Ihnen kommt.
prefs-matrix = Arten und Kanäle
prefs-tell = Sagen Sie mir
prefs-push = Push
prefs-email = E-Mail
prefs-safety = Sicher­heits­rück­rufe
prefs-safety-why = Immer an, per Push und E-Mail zugleich. Das Gesetz verlangt, dass Hersteller jeden Besitzer verständigen, den sie erreichen können.
prefs-locked = an, kann nicht geändert werden
prefs-warning = War­nungen und Jetzt handeln
prefs-warning-text = Mit Ihrem Produkt stimmt etwas nicht
prefs-info = Hinweise
prefs-info-text = Gut zu wissen, ohne Eile
prefs-first = zuerst
prefs-next = danach
prefs-follow = Nicht geöffnet innerhalb von { $after }? Dann folgt der nächste Kanal.
prefs-never = nicht auf diesem Kanal
prefs-allowed = Dürfen wir ihn nutzen?
prefs-allowed-text = Für alles außer Sicherheit
prefs-mail-label = Meldungen per E-Mail, außer Sicherheit
prefs-mail-on = Meldungen dürfen per E-Mail kommen
prefs-mail-off = nur Sicherheit kommt per E-Mail
prefs-reach-unconfirmed = Noch nicht bestätigt
prefs-phone-since = Angemeldet { $day }
prefs-phone-out = Entfernen
prefs-phone-gone = Das Telefon ist entfernt
prefs-network = Ihr bevorzugter Kanal
prefs-network-text = Wo wir es zuerst versuchen.
prefs-learn = Lernen aus dem, was ich öffne
prefs-learn-now = Lernen aus dem, was ich öffne: { $channel }
prefs-learn-text = Wir versuchen es zuerst dort, wo Sie zuletzt am meisten geöffnet haben.
prefs-push-first = Push zuerst
prefs-push-text = { $count ->
    [one] { $count } Telefon ist angemeldet
   *[other] { $count } Telefone sind angemeldet
 }
prefs-push-none = Noch ist kein Telefon angemeldet. Das macht die App auf Ihrem Telefon.
prefs-email-first = E-Mail zuerst
prefs-saved = Gespeichert: { $what }
prefs-language = Sprache
prefs-language-text = Dieser Seiten, und dessen, was wir Ihnen senden.
prefs-language-saved = Sprache: { language-name }
prefs-zone = Zeitzone
prefs-zone-text = Für alle Zeiten auf diesen Seiten und in dem, was wir Ihnen senden.
prefs-zone-here = Die dieses Geräts verwenden: { $zone }
prefs-zone-saved = Zeiten sind jetzt in { $zone }
prefs-reach = Wo wir Sie erreichen
prefs-reach-confirmed = Bestätigt
prefs-reach-phone = { $count ->
    [one] { $count } Telefon
   *[other] { $count } Telefone
 }
prefs-reach-phone-none = Kein Telefon

account-title = Ihr Konto
account-role = Rolle
account-role-customer = Besitzer
account-role-support = Kundendienst
account-role-product_manager = Produktmanager
account-role-administrator = Administrator
account-leave = Abmelden
account-leave-text = Nur in diesem Browser.
account-leave-all = Überall abmelden
account-leave-all-text = Beendet jede Sitzung: Telefone, Tablets, andere Computer. Tun Sie das, wenn Sie eines verloren haben.
account-password = Passwort
account-password-present = Jetziges Passwort
account-console = Konsole
account-out = Sie sind abgemeldet
account-out-all = Sie sind überall abgemeldet
