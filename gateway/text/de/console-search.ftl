# Die Suche der Konsole.
console-search = Suche
console-search-hint = Seriennummer, Name, Telefon, Nummer …
console-search-key = Mit / zur Suche
console-search-more = Alle Treffer
console-search-lead = Geräte, Personen, Meldungen, Kampagnen und Alarme. Wörter mit einem oder zwei Buchstaben finden, was so beginnt.
console-search-none = Nichts gefunden zu „{ $words }“
console-search-none-text = Gesucht wurde in Seriennummern, Chargen und Auftragsnummern der Geräte, in Namen, Adressen, Telefon- und Kundennummern der Personen, in den Nummern von Meldungen, Kampagnen und Alarmen und in den Titeln von Kampagnen und Regeln.
console-search-unit-count = { $count ->
    [one] { $count } Gerät
   *[other] { $count } Geräte
 }
console-search-person-count = { $count ->
    [one] { $count } Person
   *[other] { $count } Personen
 }
console-search-notice-count = { $count ->
    [one] { $count } Meldung
   *[other] { $count } Meldungen
 }
console-search-campaign-count = { $count ->
    [one] { $count } Kampagne
   *[other] { $count } Kampagnen
 }
console-search-alarm-count = { $count ->
    [one] { $count } Alarm
   *[other] { $count } Alarme
 }
console-search-more-than = mehr als { $what }
console-search-kind-unit = Geräte
console-search-kind-person = Personen
console-search-kind-notice = Meldungen
console-search-kind-campaign = Kampagnen
console-search-kind-alarm = Alarme
console-search-lot = Charge { $lot }
console-search-order = Auftrag { $number }
console-search-active = aktiv
console-search-cleared = beendet
