console-live-tiles = Progress by unit
console-live-units = Affected units
console-live-frozen = frozen at approval
console-live-registered = Registered
console-live-notified = Notified
console-live-seen = Seen
console-live-acknowledged = Acknowledged
console-live-closed = Updated
console-live-published = published { $when }
console-live-moving = Moving, last change { $ago }
console-live-listening = Live
console-live-withdraw = Withdraw
console-live-replace = Replace
console-live-successor = Open it

console-channels = Progress by channel
console-channels-none = Nobody has been told yet. Deliveries appear here as they happen.
console-channel = Channel
console-channel-share = Share
console-channel-email = Email
console-channel-push = Push
console-channel-feed = Feed
console-channel-sent = All
console-channel-delivered = Delivered
console-channel-delivered-only = Delivered, not opened
console-channel-opened = Opened
console-channel-waiting = Waiting or unknown
console-channel-waiting-short = Waiting
console-channel-failed = Failed
console-channel-skipped = Not sent

console-history = What happened
console-history-published = Published
console-history-approved = Approved by { $who }, who typed { $units }.
console-history-edited = Last edited
console-history-drafted = Drafted
console-history-superseded = Replaced
console-history-withdrawn = Withdrawn

console-unreached = Not reached yet
console-unreached-unregistered = Not registered
console-unreached-registered = Registered, in the feed only
console-unreached-all = Units not reached
console-unreached-pending = { $units } units are being looked at now.
console-unreached-text = Who registers an affected unit is told at once.

console-joined-title = Matching since it was published
console-joined-text = { $count ->
    [one] { $count } unit matches since it was published, { $registered } with an owner. It is not told yet: replace the campaign to tell it.
   *[other] { $count } units match since it was published, { $registered } with an owner. They are not told yet: replace the campaign to tell them.
 }
console-joined-matched = Why it matches
console-joined-found = Found
console-count-unset = not set up here

console-unit-list = Units
console-unit-none = No unit is in this audience.
console-unit-more = Show more units
console-unit-serial = Serial
console-unit-matched = Why it is in
console-unit-by-lot = lot { $lot }
console-unit-by-list = serial list
console-unit-by-firmware = firmware { $firmware }
console-unit-firmware = Firmware
console-unit-owner = Owner
console-unit-told-at = Told
console-unit-state = State
console-unit-registered = Registered
console-unit-unregistered = Not registered
console-unit-cleared = No longer affected
console-unit-closed = Updated
console-unit-acknowledged = Acknowledged
console-unit-seen = Seen
console-unit-notified = Notified
console-unit-told = In the feed
console-unit-pending = Not told yet
