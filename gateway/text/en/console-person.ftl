console-nav-people = People
console-people-lead = Those who came last first.
console-people-count = { $more ->
    [yes] More than { $people } people.
   *[no] { $count ->
        [one] { $people } person.
       *[other] { $people } people.
    }
 }
console-people-find = Name, phone, email or number
console-people-name = Name
console-people-number = Customer number
console-people-language = Language
console-people-account = Account
console-people-account-with = Has an account
console-people-account-without = From a file only
console-people-units = Units
console-people-recall = Recall
console-people-recall-open = Recall not acknowledged
console-people-recalls = { $count ->
    [one] 1 not acknowledged
   *[other] { $count } not acknowledged
 }
console-people-empty-title = Nobody is like that
console-people-empty-text = People appear here when they register a unit or come with the maker's owners file. Try fewer filters, or the email.

console-person-customer = Customer { $number }
console-person-language = Language
console-person-zone = Time zone
console-person-network = Preferred network
console-person-nowhere = No way to reach them
console-person-mail-stopped = No mail: { $reason }
console-person-phone = Phone
console-person-email = Email
console-person-confirmed = Confirmed { $day }
console-person-unconfirmed = Not confirmed
console-person-address = Address
console-person-contract = Contract
console-person-phones = Phones for push
console-person-phones-count = { $count ->
    [0] None
    [one] 1 registered
   *[other] { $count } registered
 }
console-person-last-used = Last used { $when }
console-person-account = Account
console-person-joined = since { $day }
console-person-disabled = Disabled { $when }: they cannot sign in.
console-person-sign-ins = Last sign-in
console-person-sign-ins-none = Not lately
console-person-sessions = { $count ->
    [one] Signed in on 1 browser now.
   *[other] Signed in on { $count } browsers now.
 }
console-person-browsers = { $count ->
    [one] 1 browser is known.
   *[other] { $count } browsers are known.
 }
console-person-sessions-open = Where
console-person-session = Since { $since }, last used { $seen }
console-person-first = Say this first
console-person-first-recall = { $count ->
    [one] Say this first: the { $product } is recalled.
   *[other] Say this first: { $count } units are recalled.
 }
console-person-first-text = Tell them to stop using it, and what the notice says.
console-person-units = Units
console-person-units-count = { $count ->
    [one] 1, registered
   *[other] { $units }, the worst first
 }
console-person-units-first = The first { $count } are shown.
console-person-no-units = No unit is registered to them now.
console-person-notices = Notices, all units
console-person-notices-all = All { $count }
console-person-no-notices = They were told nothing yet.
console-person-many = more than 10,000
console-person-held = Held until
console-person-opened = opened
console-person-acknowledged = Acknowledged
console-person-read = Read
console-person-unread = Not read yet
console-person-missing = There is no such person
console-person-missing-text = The address may be mistyped.

console-seen = See what they see
console-seen-back = Back to the record
console-seen-hint = Read only. That you looked is noted.
console-seen-lead = This is what { $name } sees in My Products, in their language: { $language }. You cannot act for them here.
console-seen-no-units = They have no product.
console-seen-no-notices = They have no notice.

console-notes = Calls and notes
console-note-text = Note
console-note-hint = What somebody should know next time
console-note-call-text = Note on this call
console-note-call-hint = What it was about, what you agreed
console-note-none = Write what it was about.
console-note-keep = Save note
console-note-kept = Note saved.
console-note-call = Log a call
console-note-call-keep = Save call
console-note-call-kept = Call saved.
console-note-no-call = No call
console-note-open = Open since { $time }
console-note-direction = Who called
console-note-in = they called
console-note-out = we called
console-note-minutes = { $count } min
console-note-is-call = Call:
console-note-older = Show older
console-note-failed = It was not saved. What you wrote is still here.
console-note-empty = Nothing noted yet. What is saved here stays as it was written; another note corrects it.

console-looks = Who looked
console-looks-lead = Each look of the staff at a record; the same within ten minutes is one line.
console-looks-count = { $more ->
    [yes] More than { $looks } looks.
   *[no] { $count ->
        [one] { $looks } look.
       *[other] { $looks } looks.
    }
 }
console-looks-staff = Everybody of the staff
console-looks-who = Who
console-looks-what = Looked at
console-looks-page = Page
console-looks-page-record = Record
console-looks-page-my_products = My Products, as they see it
console-looks-when = When
console-looks-all = Show all looks
console-looks-empty-title = Nobody looked
console-looks-empty-text = When somebody of the staff opens the record of a unit or a person, it stands here.

console-network-nowhere = No confirmed email that takes notices, and no phone
console-network-chosen = Their own choice
console-network-chosen_without = They chose another one, which does not reach them now
console-network-only_way = The only way to reach them
console-network-default = To begin with, until it is known where they look
console-network-often_opened = Learned: opened { $count } of the last { $all } there
console-network-often_acknowledged = Learned: acknowledged { $count } of the last { $all } there
console-network-often_signed_in = Learned: { $count } of the last { $all } sign-ins there
console-network-lately = Learned: used most there lately
