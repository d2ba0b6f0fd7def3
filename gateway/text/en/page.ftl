# The pages without a script: a notice, and those behind links in mails.
page-confirmed = You confirmed on { $when } that you have read this and will do it.
page-you-confirmed = { $time }, you confirmed it
page-acknowledged = You told us on { $when } that it is done.
page-limit = Limit { $limit }
page-chart = { $title } from { $first } to { $last }. { $normal } Limit { $limit }. Alarm since { $onset }. Last { $value }.
page-time = Time
page-value = Value
page-crossed = { $time }, { $title } crossed { $limit }
page-stayed = It stayed, so at { $time } this became a notice.
page-opened = { $time }, you opened it
page-cleared = { $time }, back to normal
page-installed = { $time }, installed
page-missing-title = This notice is not here
page-missing = The address may be mistyped, or the notice went to somebody else.

page-mail-stop-title = Stop mail about your products?
page-mail-stop-text = You will get no more notices at this address. They stay in My Products, and safety notices still come.
page-mail-stop-do = Stop the mail
page-mail-stopped-title = The mail has stopped
page-mail-stopped-text = No more notices come to this address. You can change this in My Products, under Settings.
page-mail-gone-title = This link no longer counts
page-mail-gone-text = It is damaged, or for an address that is not used any more. Change your mail in My Products.
page-link-gone-title = This link cannot be read
page-link-gone-text = It is damaged. Every notice stands in My Products.

page-outbox = Sent by the demo
page-outbox-text = Mail and pushes that the demo caught instead of sending them out, the newest first.
page-outbox-shown = What is shown
page-outbox-all = All
page-outbox-mail = Mail
page-outbox-push = Push
page-outbox-from = From { $sender } to { $to }
page-outbox-headers = Headers
page-outbox-phone = To the phone { $phone }
page-outbox-data = Data
page-outbox-empty = Nothing was sent yet. Codes, notices and pushes appear here when the gateway sends them.
