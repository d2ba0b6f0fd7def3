# Channels, inside of a sentence.
channel-email = email
channel-push = push
channel-feed = your notices

# Why something was done or was not. Each stands inside of a sentence or behind a colon; a first letter is made a capital.
# Why a person is told first on this channel: "Sent by email because …".
reason-chosen = you chose { $channel }
reason-chosen-without-email = you chose email, but we have no address that we may write to; { $reason }
reason-chosen-without-push = you chose push, but no phone is registered; { $reason }
reason-only-way = { $channel } is the only way you gave us
reason-nowhere = there is no confirmed address and no registered phone
reason-opened = you opened { $count } of the last { $all } by { $channel }
reason-acknowledged = you acknowledged { $count } of the last { $all } by { $channel }
reason-signed_in = you signed in by { $channel } { $count } of the last { $all } times
reason-lately = lately you were reached best by { $channel }
reason-default = we start with { $channel }, until we know what reaches you

# Whom it concerns, and whether it is told.
reason-owned = you own this unit since { $since }
reason-owner-since = owner since { $since }
reason-active-when-theirs = active when it became theirs on { $since }
reason-changed-hands = the unit changed hands since
reason-nobody-registered = nobody is registered as the owner of this unit
reason-support-only = the rule tells support only
reason-historic = it was too old when it was judged
reason-not-told-of-former = was not told of { $former }, so there is nothing to take back
reason-joined = joined notice { $notice }
reason-first-of-its-kind = the first of its kind for now
reason-told-already = told already
reason-not-told-yet = not told yet in their time of owning it
reason-safety-at-once = safety is told at once
reason-room-in-the-hour = { $count } of { $limit } notices in the last hour
reason-enough-for-an-hour = { $limit } notices in the last hour are enough

# Deliveries: planned, and not needed any more.
reason-safety-everywhere = safety goes out on every channel at once
reason-follows = follows when { $channel } was not opened in time
reason-follows-failed = { $channel } did not arrive: { $reason }
reason-follows-skipped = { $channel }: { $reason }
reason-came-again = it came again
reason-in-the-feed = shown in the feed
reason-not-theirs = the unit is no longer yours
reason-over-before = back to normal before it was due
reason-remedied-before = remedied before it was due
reason-updated-before = updated before it was due
reason-seen-before = seen before it was due
reason-replaced-before = replaced or withdrawn before it was due
reason-seen-after = not needed: it was seen after { $channel }
reason-not-set-up = { $channel } is not set up here
reason-no-phone = no phone is registered
reason-no-address = there is no address any more
reason-not-confirmed = the address was not confirmed by its owner
reason-no-mail = no mail to this address: { $reason }
reason-stopped-by-link = you stopped mail by a link in one
reason-stopped-in-settings = you stopped mail in the settings
reason-address-refused = it was refused ({ $reason })
reason-newer-phones = newer phones took its place

# What came of sending.
reason-mail-taken = the mail server took it
reason-mail-unusable = the mail server could not be used ({ $error })
reason-mail-gone = the mail server went away before it said whether it took the mail ({ $error })
reason-mail-said = the mail server said { $answer }
reason-mail-no-utf8 = the mail server does not take addresses with letters beyond ASCII before the @
reason-mail-broken = the mail could not be put together ({ $error }); the worker's log says more
reason-push-taken = Firebase took it
reason-push-unreachable = Firebase could not be reached
reason-push-broken = the push could not be put together ({ $error }); the worker's log says more
reason-push-said = Firebase said { $answer }
reason-push-gone = the phone does not have the app any more
reason-push-other-app = the phone belongs to another app
reason-no-answer = no answer within { $seconds } s
reason-worker-ended = sending was interrupted; the provider may have taken it
reason-sent-again = sent again because it is about safety: { $reason }
reason-tried-again = tried again: { $reason }
reason-given-up = given up after { $count ->
    [one] { $count } try
   *[other] { $count } tries
 }: { $reason }
reason-reached = reached { $count } of { $all }
reason-reached-and = reached { $count } of { $all }; { $reason }
reason-error = an error of ours ({ $error }); the worker's log says more
