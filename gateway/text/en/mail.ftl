# Mails and pushes about a notice.
mail-again = We send this again, because we cannot tell whether it reached you before.
mail-again-title = Sent again: { $title }
mail-see = See the notice
mail-why = Why you get this
mail-evidence = On { $when } it was { $value } { $unit }; the limit is { $limit } { $unit }.
mail-sent-because = Sent by email because { $reason }.
mail-sent-safety = Sent on every channel at once, because it is about safety.
mail-follows = Sent by email too, because you had not opened it by { $channel }.
mail-unit = { $product }, serial { $serial }
mail-severity-safety = Safety
mail-severity-critical = Needs attention now
mail-severity-warning = Needs attention
mail-severity-info = For your information
mail-unsubscribe = Stop mail about my products
mail-safety-always = Safety notices always come, also to addresses that want no other mail.
mail-which-title = { $title } ({ $which })
mail-recall-title = Product safety recall: { $title }
mail-confirm = Confirm that you have read it

# What a notice says of an alarm that was there before the unit became the reader's.
alarm-before = This was so already when the unit became yours.
alarm-look = See what it measures now in My Products.
