console-quarantine-lead = Nachrichten, die nicht ganz angenommen wurden; was daran lesbar war, ist gespeichert. Beheben Sie die Ursache und versuchen Sie es erneut: Jede behält ihre eigene Zeit.
console-quarantine-reasons = Nach Grund
console-quarantine-reasons-all = Alle { $count } Gründe zeigen
console-quarantine-reason = Grund
console-quarantine-here = Hier
console-quarantine-share = Anteil an dem, was hier ist
console-quarantine-ever = Insgesamt
console-quarantine-trimmed = Verdrängt
console-quarantine-trimmed-text = Verdrängt: aus Platzmangel gelöscht, zuerst bei den Geräten mit den meisten. Gezählt bleiben sie.
console-quarantine-last = Zuletzt gesehen
console-quarantine-mend = Was hilft
console-quarantine-retry = Erneut versuchen
console-quarantine-retry-all = Alle erneut versuchen
console-quarantine-asked = { $count ->
    [one] { $count } wird erneut versucht.
   *[other] { $count } werden erneut versucht.
 }
console-quarantine-cut = { $count ->
    [one] { $count } nicht: Sie ist nicht ganz erhalten.
   *[other] { $count } nicht: Sie sind nicht ganz erhalten.
 }
console-quarantine-cut-text = Nur der Anfang ist erhalten. Sie kann nicht erneut versucht werden.
console-quarantine-waits = Wartet auf neuen Versuch
console-quarantine-purge = Löschen
console-quarantine-purge-all = Alle { $count } löschen
console-quarantine-purge-soon = { $name }: wird in 8 Sekunden gelöscht
console-quarantine-purge-failed = Nichts wurde gelöscht: { $reason }
console-quarantine-purged = { $count ->
    [one] { $count } ist gelöscht. Gezählt bleibt sie.
   *[other] { $count } sind gelöscht. Gezählt bleiben sie.
 }
console-quarantine-leaving = Wird gelöscht
console-quarantine-one = Nachricht von { $unit }
console-quarantine-every = Alle mit „{ $reason }“
console-quarantine-messages = Nachrichten
console-quarantine-all = Alle Gründe
console-quarantine-newest = Zu den neuesten
console-quarantine-newer = Neuere Nachrichten zeigen
console-quarantine-older = Ältere Nachrichten
console-quarantine-topic = Topic
console-quarantine-received = Empfangen
console-quarantine-detail = Was nicht stimmt
console-quarantine-payload = Inhalt
console-quarantine-size = { $size } Bytes
console-quarantine-bytes = Ein Teil ist kein Text und erscheint als �.
console-quarantine-none = Keine Nachricht ist in Quarantäne.
console-quarantine-none-reason = Keine Nachricht mit diesem Grund ist in Quarantäne.
console-quarantine-none-older = Keine ältere Nachricht ist in Quarantäne.
console-quarantine-empty-title = Hier stehen abgelehnte Nachrichten
console-quarantine-empty-text = Jede mit ihrem Grund und dem, was hilft. Bisher wurde nichts abgelehnt.

console-reason-bad_topic = Falsches Topic
console-reason-unknown_product = Unbekanntes Produkt
console-reason-unknown_unit = Unbekanntes Gerät
console-reason-too_large = Zu groß
console-reason-bad_json = Nicht lesbar
console-reason-bad_shape = Falsche Form
console-reason-bad_firmware = Falsche Firmware-Angabe
console-reason-bad_seq = Falsche laufende Nummer
console-reason-empty = Leer
console-reason-too_many_readings = Zu viele Messwerte
console-reason-too_many_days = Zu viele Tage
console-reason-no_time = Einträge ohne Zeit
console-reason-same_time = Eine Zeit, zwei Werte
console-reason-bad_time = Zeit nicht lesbar
console-reason-future_time = Zeit in der Zukunft
console-reason-too_old = Zu alt
console-reason-unknown_metric = Unbekannte Messgröße
console-reason-not_a_number = Keine Zahl
console-reason-out_of_range = Außerhalb des Bereichs
console-reason-refused_by_store = Von der Datenbank abgelehnt
console-mend-bad_topic = Auf m2m/v1/PRODUKT/SERIENNUMMER/telemetry oder …/status senden, die Seriennummer wie aufgedruckt.
console-mend-unknown_product = Die Produktdatei importieren oder das Topic berichtigen.
console-mend-unknown_unit = Die Gerätedatei importieren oder die Seriennummer berichtigen.
console-mend-too_large = Weniger in einer Nachricht senden. Nichts davon wurde angenommen.
console-mend-bad_json = JSON in UTF-8 senden, ohne NaN oder Infinity. Nichts davon wurde angenommen.
console-mend-bad_shape = Ein Objekt mit ts und values senden oder eine Liste davon. Als Status ein Objekt senden.
console-mend-bad_firmware = Die Firmware unter dem Namen firmware als Text mit 1 bis 40 druckbaren Zeichen senden.
console-mend-bad_seq = seq ab 1 senden, mit jeder Nachricht eins höher, und boot als Zahl der Starts oder als Zeit, als ganze Zahlen.
console-mend-empty = Mindestens einen Messwert senden; ohne Messwert keine Nachricht.
console-mend-too_many_readings = Die Nachricht aufteilen. Nichts davon wurde angenommen.
console-mend-too_many_days = Die Tage in mehreren Nachrichten senden. Messwerte der ersten Tage wurden angenommen.
console-mend-no_time = Jedem Eintrag einer Liste sein ts geben: Ohne ts wären alle vom Augenblick des Eintreffens.
console-mend-same_time = Jedem Messwert sein eigenes ts geben, in Millisekunden. Der erste Wert jeder Zeit wurde angenommen.
console-mend-bad_time = ts, unter diesem Namen, als Millisekunden seit 1970 senden oder nach RFC 3339 mit Z oder Zeitzone.
console-mend-future_time = Die Uhr des Geräts stellen.
console-mend-too_old = Millisekunden statt Sekunden senden, oder früher senden.
console-mend-unknown_metric = Die Messgröße in die Produktdatei aufnehmen und importieren oder ihren Namen berichtigen.
console-mend-not_a_number = Eine Zahl senden. Text, Wahrheitswerte und Objekte werden nicht angenommen.
console-mend-out_of_range = Den Sensor prüfen oder den Bereich der Messgröße in der Produktdatei.
console-mend-refused_by_store = Melden Sie es uns: Alle Prüfungen waren bestanden, die Datenbank lehnte ab.
