# The search of the console.
console-search = Search
console-search-hint = Serial, name, phone, number …
console-search-key = Press / to search
console-search-more = All results
console-search-lead = Units, people, notices, campaigns and alarms. Words of one or two letters find what begins with them.
console-search-none = Nothing found for “{ $words }”
console-search-none-text = Looked for in serials, lots and order numbers of units; in names, addresses, phones and customer numbers of people; in the numbers of notices, campaigns and alarms, and in the titles of campaigns and rules.
console-search-unit-count = { $count ->
    [one] { $count } unit
   *[other] { $count } units
 }
console-search-person-count = { $count ->
    [one] { $count } person
   *[other] { $count } people
 }
console-search-notice-count = { $count ->
    [one] { $count } notice
   *[other] { $count } notices
 }
console-search-campaign-count = { $count ->
    [one] { $count } campaign
   *[other] { $count } campaigns
 }
console-search-alarm-count = { $count ->
    [one] { $count } alarm
   *[other] { $count } alarms
 }
console-search-more-than = more than { $what }
console-search-kind-unit = Units
console-search-kind-person = People
console-search-kind-notice = Notices
console-search-kind-campaign = Campaigns
console-search-kind-alarm = Alarms
console-search-lot = lot { $lot }
console-search-order = order { $number }
console-search-active = active
console-search-cleared = cleared
