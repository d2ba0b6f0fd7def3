console-nav-product = Support Gateway
console-nav-console = Console
console-nav-menu = Menu
console-nav-campaigns = Campaigns
console-nav-quarantine = Quarantine
console-crumb = You are here
console-crumb-draft = { $kind } { $number }, draft

console-refused-title = These pages are for staff
console-refused-text = Your account is an owner's account. Your products and notices are in My Products.
console-missing-text = The address may be mistyped, or the draft was discarded.
console-missing-home = Go to the campaigns

console-units = units
console-units-count = { $count ->
    [one] { $units } unit
   *[other] { $units } units
 }
console-lots-count = { $count ->
    [one] { $count } lot
   *[other] { $count } lots
 }

console-kind-recall = Recall
console-kind-update = Update notice
console-kind-withdrawal = Withdrawal
console-state-draft = Draft
console-state-live = { $kind }, live
console-state-superseded = { $kind }, replaced
console-state-withdrawn = { $kind }, withdrawn

console-list-lead = Recalls, update notices and withdrawals, the newest first.
console-list-title = Campaign
console-list-state = State
console-list-product = Product
console-list-units = Units
console-list-date = Date
console-list-empty-title = Campaigns appear here
console-list-empty-text = Each with its units, and how many owners were notified, saw it and acknowledged it. Draft a recall, or a notice about an update; a second person approves it.

console-new-recall = New recall
console-new-update = New update notice
console-new-product = Which product?
console-new-text-recall = You choose the lots or the serials later. Nobody is told before a second person approves.
console-new-text-update = You choose the version later. Nobody is told before a second person approves.
console-new-none = No product has been imported yet.
console-new-support = Product managers and administrators draft campaigns. You can read them.

console-draft-untitled = Untitled draft
console-draft-replaces = Replaces
console-draft-withdraws = Withdraws
console-draft-form = The draft
console-draft-reading = You are reading.
console-draft-reading-text = If you edit, you are one of its authors, and another person must approve.
console-draft-edit = Edit

console-steps = Steps of the campaign
console-step-hazard-recall = Hazard
console-step-hazard-update = What changes
console-step-hazard-withdrawal = Reason
console-step-action-recall = Action and remedy
console-step-action-update = What to do
console-step-action-withdrawal = Contact
console-step-audience = Audience
console-step-languages = Languages
console-step-approval = Approval
console-step-complete = Complete
console-step-tofix = { $count } to fix
console-step-second = Second person

console-field-product = Product
console-field-audience = Audience
console-field-title = Title
console-field-hazard = Hazard
console-field-changes = Changes
console-field-reason = Reason
console-field-action = What the owner does
console-field-action_text = How, and why
console-field-action_text-update = What the owner does
console-field-remedies = Remedy
console-field-remedy_text = How to get the remedy
console-field-contact = Contact
console-field-phone = Phone
console-field-email = Email
console-field-url = Web page
console-field-in = { $field }, { $language }
console-hint-title-recall = The product and what may happen, like “Kettle: the handle may break”. The headline above it is fixed.
console-hint-title-update = What is better with it, like “Update: the pump starts quieter”.
console-hint-title-withdrawal = What is taken back, in one line.
console-hint-hazard = One sentence: what can happen, to whom. Nothing that softens it.
console-hint-changes = What changes for the owner. Short sentences.
console-hint-reason = Why it does not hold any more, and what the owner may do again.
console-hint-action_text = The steps, verb first.
console-hint-action_text-update = How to get it, how long it takes, what it needs.
console-hint-remedies = At least two to choose from, where the law asks for it.
console-hint-remedy_text = Where to write or call, how long it takes. Free of charge.
console-hint-contact = At least one. A free phone number is best.
console-action-stop_using = Stop using it now
console-action-unplug = Unplug it
console-action-keep_using_until_replaced = Keep using it until it is replaced
console-remedy-repair = Repair
console-remedy-replacement = Replacement
console-remedy-refund = Refund

console-audience-which = Which units
console-audience-product = Product is
console-audience-and = AND
console-audience-by = Chosen by
console-audience-by-lots = Lots
console-audience-by-serials = Serial list
console-audience-lots = Lot is one of
console-audience-lots-none = This product has no lots. Use a list of serials.
console-audience-serials = Serial is in
console-audience-serials-hint = One serial a line. Spaces and dashes do not matter.
console-audience-serials-count = { $count ->
    [one] { $count } serial
   *[other] { $count } serials
 }
console-audience-file = Read a CSV file
console-audience-file-read = { $count ->
    [one] { $count } serial from { $name }
   *[other] { $count } serials from { $name }
 }
console-audience-unknown-serials = Not units of this product:
console-audience-unknown-lots = No unit has this lot:
console-audience-below = Firmware is below
console-audience-below-hint = The version that closes the notice, like 2.4.0.
console-audience-unknown_firmware = { $count ->
    [one] { $count } unit never said which firmware it has.
   *[other] { $count } units never said which firmware they have.
 }
console-audience-withdrawal = Every unit of { $number }. Whoever was told of it is told of the withdrawal.

console-count-recall = { $count ->
    [one] unit affected
   *[other] units affected
 }
console-count-update = { $count ->
    [one] unit below it
   *[other] units below it
 }
console-count-withdrawal = { $count ->
    [one] unit was affected
   *[other] units were affected
 }
console-count-at = Counted { $ago }
console-count-failed = Not counted now
console-count-none = Choose the units, then they are counted here.
console-count-bar = { $direct } reached by email or push, { $feed } in the feed only, { $not } not registered
console-count-registered = Registered, told directly
console-count-people = People
console-count-email = Units with email
console-count-push = Units with push
console-count-feed = With neither, feed only
console-count-unregistered = Not registered
console-count-unregistered-text = Told as soon as somebody registers
console-count-unregistered-text-withdrawal = They were never told of it
console-count-cleared = No longer affected
console-count-cleared-text = Told so, if they were told before

console-checks = Checks
console-checks-none = Nothing blocks approval
console-checks-block = { $count ->
    [one] { $count } blocks approval
   *[other] { $count } block approval
 }
console-checks-blocks = Blocks:
console-checks-note = Note:
console-checks-passed = Passed:
console-checks-go = Go to the field
console-checks-complete = Everything that must be there is there
console-checks-all = Show all { $count }

console-languages-missing = { $count ->
    [one] { $count } text is missing
   *[other] { $count } texts are missing
 }
console-languages-readers = { $count ->
    [one] { $people } owner reads it.
   *[other] { $people } owners read it.
 }

console-approve-lead = { $count ->
    [one] { $people } person owns { $registered } of these { $units } units and is told at once.
   *[other] { $people } people own { $registered } of these { $units } units and are told at once.
 }
console-approve-once = What is sent is never edited; it can be replaced or withdrawn.
console-approve-type = Number of units
console-approve-type-hint = Type { $units } to show that you have seen it.
console-approve-type-bad = This is not the number of units.
console-approve-unsaved = Wait until what was typed is saved.
console-approve-do-recall = Send the recall
console-approve-do-update = Send the update notice
console-approve-do-withdrawal = Send the withdrawal
console-approve-second = A second person approves.
console-approve-blocked = { $count ->
    [one] { $count } check blocks approval.
   *[other] { $count } checks block approval.
 }
console-approve-refused = It was not sent

console-approve-wrote = You drafted or edited this campaign.
console-approve-writers = Product managers and administrators approve.
console-field-supersedes = What it replaces
console-check-text = Write this text in { $language }.
console-check-action = Choose what owners have to do.
console-check-remedies = Choose at least one remedy.
console-check-contact = Give a phone number, an address or a page where owners can ask.
console-check-email = This is no mail address.
console-check-url = Write the page as https://….
console-check-audience = Say whom it concerns; no unit is meant yet.
console-check-unknown = Some of the list are not here. They are named beside the field.
console-check-version = Write a version as numbers with dots, like 2.4.0.
console-check-firmware = Units whose firmware is not known will not be told.
console-check-supersedes = What it takes the place of is not published any more.

console-save = Save
console-saved = Saved
console-saved-you = you
console-saved-at = Saved { $time } by { $who }
console-saved-soon = Saving what you type
console-saved-conflict = Not saved
console-saved-failed = Not saved
console-saved-failed-title = What you typed is not saved yet
console-saved-again = Save again
console-clash-title = { $who } saved this draft at { $time }, while you were typing
console-clash-text = What you typed is still below. It is not saved.
console-clash-fields = These differ: { $fields }.
console-clash-mine = Keep mine
console-clash-theirs = Take theirs
console-bar-text = The audience is frozen when a second person approves.
console-bar-approve = Go to approval
console-discard = Discard the draft
console-discard-soon = “{ $name }” is discarded in 8 seconds
console-discard-done = { $name } is discarded
console-discard-failed = It was not discarded: { $reason }

console-said = What it says
console-list-behind = Show what changed
console-list-save = Save as CSV
console-list-pages = Pages of this list
console-list-first = First page
console-list-next = Next page
