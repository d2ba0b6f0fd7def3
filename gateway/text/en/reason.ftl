# Channels, inside of a sentence.
channel-email = email
channel-email-missing = we have no address that we may write to
channel-push = push
channel-push-missing = no phone is registered
channel-feed = your notices

# Why something was done or was not. Each stands inside of a sentence or behind a colon; a first letter is made a capital.
# Why a person is told first on this channel: "Sent by email because …".
reason-chosen = you chose { $channel }
reason-chosen-without = you chose { $channel }, but { $missing }; { $reason }
reason-only-way = { $channel } is the only way you gave us
reason-nowhere = there is no confirmed address and no registered phone
reason-often-opened = you opened { $count } of the last { $all } by { $channel }
reason-often-acknowledged = you acknowledged { $count } of the last { $all } by { $channel }
reason-often-signed_in = you signed in by { $channel } { $count } of the last { $all } times
reason-lately = lately you were reached best by { $channel }
reason-default = we start with { $channel }, until we know what reaches you

# Whom it concerns, and whether it is told.
reason-nothing-against = nothing spoke against it
reason-owned = you own this unit since { $since }
reason-owner-since = owner since { $since }
reason-active-when-theirs = active when it became theirs on { $since }
reason-changed-hands = the unit changed hands since
reason-nobody-registered = nobody is registered as the owner of this unit
reason-support-only = the rule tells support only
reason-historic = historic: it was too old when it was judged
reason-not-told-of-former = was not told of { $former }, so there is nothing to take back
reason-joined = joined notice { $notice }
reason-first-of-its-kind = the first of its kind for now
reason-told-already = told already
reason-not-told-yet = not told yet in their time of owning it
reason-safety-at-once = safety is told at once
reason-room-in-the-hour = { $count } of { $limit } notices in the last hour
reason-enough-for-an-hour = { $limit } notices in the last hour are enough

# Why a unit is in the audience of a campaign.
reason-matched-lot = lot { $what }
reason-matched-firmware = firmware { $what }
reason-matched-serial = it is on the list of serial numbers

# Deliveries: planned, and not needed any more.
reason-safety-everywhere = safety goes out on every channel at once
reason-follows = follows when { $channel } was not opened in time
reason-came-again = it came again
reason-not-theirs = the unit is no longer yours
reason-over-before = back to normal before it was due
reason-remedied-before = remedied before it was due
reason-updated-before = updated before it was due
reason-seen-before = seen before it was due
reason-replaced-before = replaced or withdrawn before it was due
reason-stopped-by-link = you stopped mail by a link in one
reason-stopped-in-settings = you stopped mail in the settings
reason-address-refused = it was refused ({ $reason })
reason-phone-taken-out = you took it out
reason-newer-phones = newer phones took its place

# What came of sending.
