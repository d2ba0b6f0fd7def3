# Channels, inside of a sentence.
channel-email = email
channel-push = push

# Why a person is told first on this channel. Each stands inside of a sentence: "Sent by email because …".
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
