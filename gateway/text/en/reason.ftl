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
reason-came-back = it came back after an all-clear
reason-one-message = one message with notice { $notice }
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
reason-follows-failed = { $channel } did not arrive: { $reason }
reason-follows-skipped = { $channel }: { $reason }
reason-given-up = given up after { $count ->
    [one] { $count } try
   *[other] { $count } tries
 }: { $reason }
reason-mail-broken = the mail could not be put together ({ $error }); the worker's log says more
reason-mail-gone = the mail server went away before it said whether it took the mail ({ $error })
reason-mail-no-utf8 = the mail server does not take addresses with letters beyond ASCII before the @ (it offers no SMTPUTF8)
reason-mail-said = the mail server said { $answer }
reason-mail-taken = the mail server took it
reason-mail-unusable = the mail server could not be used ({ $error })
reason-no-address = there is no address any more
reason-no-answer = no answer within { $seconds } s
reason-no-mail = no mail to this address: { $reason }
reason-no-phone = no phone is registered
reason-not-confirmed = the address was not confirmed by its owner
reason-not-set-up = { $channel } is not set up here
reason-push-gone = the phone does not have the app any more (UNREGISTERED)
reason-push-other-app = the phone belongs to another app (SENDER_ID_MISMATCH)
reason-push-said = Firebase said { $answer }
reason-push-taken = Firebase took it
reason-push-unreachable = Firebase could not be reached
reason-reached = reached { $count } of { $all }
reason-reached-and = reached { $count } of { $all }; { $reason }
reason-seen-after = not needed: it was seen after { $channel }
reason-sent-again = sent again because it is about safety: { $reason }
reason-tried-again = tried again: { $reason }
reason-worker-ended = sending was interrupted; the provider may have taken it
reason-push-credentials = Firebase did not accept our credentials ({ $error })
reason-push-no-number = Firebase answered without a message number
reason-push-unconfirmed = Firebase did not say whether it took the message ({ $error })
reason-sending-broke = sending broke ({ $error }); it may have gone out
reason-unreadable = it could not be put together ({ $error })
reason-letter-again = the outcome is unknown, and a letter is sent again then: { $reason }
reason-no-letter = there is no letter named { $template }
