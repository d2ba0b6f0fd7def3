console-nav-notices = Meldungen
console-notices-lead = Was Menschen mitgeteilt wurde: offene Alarme zuerst, jede Kampagne in einer Zeile.
console-notices-find = Seriennummer, Besitzer oder Kampagne
console-notices-kind = Alle Arten
console-notices-kind-alarm = Alarm
console-notices-state = Offen und vorbei
console-notices-open = Offen
console-notices-over = Vorbei
console-notices-counts = Meldungen nach Art
console-notices-tile-open = offen, von Alarmen
console-notices-tile-campaigns = Kampagnen
console-notices-tile-over = vorbei, von Alarmen
console-notices-title = Meldung
console-notices-to = An
console-notices-told = Letzte Änderung
console-notices-delivered = Wie es ging
console-notices-feed-only = Nur in der Liste
console-notices-times = { $count } Mal
console-notices-units = { $count ->
    [one] { $count } Gerät
   *[other] { $count } Geräte
 }
console-notices-none = Keine Meldung ist so.
console-notices-all = Alle Meldungen zeigen
console-notices-empty-title = Noch wurde niemandem etwas mitgeteilt
console-notices-empty-text = Erreicht ein Alarm oder eine Kampagne Besitzer, erscheint die Meldung hier mit ihrem Weg.

console-notice-back = Alle Meldungen
console-notice-campaign = Ihre Kampagne
console-notice-to = An { $who }
console-notice-said = Was darin steht
console-notice-why = Warum sie kam
console-notice-alarm = Alarm öffnen
console-notice-trail = Was daraus wurde

console-trail-told = { $channel }: gezeigt
console-trail-waiting = { $channel }: wartet
console-trail-claimed = { $channel }: wird gesendet
console-trail-delivered = { $channel }: gesendet
console-trail-retry = { $channel }: versucht, später noch einmal
console-trail-failed = { $channel }: gescheitert
console-trail-skipped = { $channel }: nicht gesendet
console-trail-unknown = { $channel }: niemand weiß, ob es ankam
console-trail-opened = { $channel }: geöffnet
console-trail-acknowledged = { $channel }: vom Besitzer bestätigt

console-list-states = Jeder Stand
console-list-state-draft = Entwürfe
console-list-state-published = Veröffentlicht
console-list-state-superseded = Ersetzt
console-list-state-withdrawn = Zurückgezogen
console-list-find = Nummer oder Titel
console-list-none = Keine Kampagne ist so.
console-list-all = Alle Kampagnen zeigen
