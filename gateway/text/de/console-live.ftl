console-live-tiles = Fortschritt nach Geräten
console-live-units = Betroffene Geräte
console-live-frozen = bei der Freigabe festgehalten
console-live-registered = Registriert
console-live-notified = Benachrichtigt
console-live-seen = Gesehen
console-live-acknowledged = Bestätigt
console-live-closed = Aktualisiert
console-live-published = veröffentlicht { $when }
console-live-moving = In Bewegung, zuletzt { $ago }
console-live-listening = Live
console-live-withdraw = Zurücknehmen
console-live-replace = Ersetzen
console-live-successor = Öffnen

console-channels = Fortschritt nach Kanal
console-channels-none = Noch wurde niemand benachrichtigt. Zustellungen erscheinen hier, sobald es sie gibt.
console-channel = Kanal
console-channel-share = Anteil
console-channel-email = E-Mail
console-channel-push = Push
console-channel-feed = Meldungen
console-channel-sent = Alle
console-channel-delivered = Zugestellt
console-channel-delivered-only = Zugestellt, nicht geöffnet
console-channel-opened = Geöffnet
console-channel-waiting = Wartend oder unbekannt
console-channel-waiting-short = Wartend
console-channel-failed = Gescheitert
console-channel-skipped = Nicht gesendet

console-history = Was geschah
console-history-published = Veröffentlicht
console-history-approved = Freigegeben von { $who }, mit der Zahl { $units }.
console-history-edited = Zuletzt bearbeitet
console-history-drafted = Entworfen
console-history-superseded = Ersetzt
console-history-withdrawn = Zurückgenommen

console-unreached = Noch nicht erreicht
console-unreached-unregistered = Nicht registriert
console-unreached-registered = Registriert, nur in den Meldungen
console-unreached-all = Nicht erreichte Geräte
console-unreached-pending = { $units } Geräte werden gerade angesehen.
console-unreached-text = Wer ein betroffenes Gerät registriert, wird sofort benachrichtigt.

console-joined-title = Passt seit der Veröffentlichung
console-joined-text = { $count ->
    [one] { $count } Gerät passt seit der Veröffentlichung, { $registered } mit Besitzer. Es ist noch nicht benachrichtigt: Ersetzen Sie die Kampagne, um es zu erreichen.
   *[other] { $count } Geräte passen seit der Veröffentlichung, { $registered } mit Besitzer. Sie sind noch nicht benachrichtigt: Ersetzen Sie die Kampagne, um sie zu erreichen.
 }
console-joined-matched = Warum es passt
console-joined-found = Gefunden
console-count-unset = hier nicht eingerichtet

console-unit-list = Geräte
console-unit-none = Kein Gerät ist in diesem Empfängerkreis.
console-unit-more = Mehr Geräte zeigen
console-unit-serial = Seriennummer
console-unit-matched = Warum dabei
console-unit-by-lot = Charge { $lot }
console-unit-by-list = Liste von Seriennummern
console-unit-by-firmware = Firmware { $firmware }
console-unit-firmware = Firmware
console-unit-owner = Besitzer
console-unit-told-at = Benachrichtigt
console-unit-state = Stand
console-unit-registered = Registriert
console-unit-unregistered = Nicht registriert
console-unit-cleared = Nicht mehr betroffen
console-unit-closed = Aktualisiert
console-unit-acknowledged = Bestätigt
console-unit-seen = Gesehen
console-unit-notified = Benachrichtigt
console-unit-told = In den Meldungen
console-unit-pending = Noch nicht benachrichtigt
