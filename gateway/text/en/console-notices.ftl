console-nav-notices = Notices
console-notices-lead = What people were told: open alarms first, each campaign as one line.
console-notices-find = Serial, owner or campaign
console-notices-kind = All kinds
console-notices-kind-alarm = Alarm
console-notices-state = Open and over
console-notices-open = Open
console-notices-over = Over
console-notices-counts = Notices by kind
console-notices-tile-open = open, of alarms
console-notices-tile-campaigns = campaigns
console-notices-tile-over = over, of alarms
console-notices-title = Notice
console-notices-to = To
console-notices-told = Last change
console-notices-delivered = How it went
console-notices-feed-only = Feed only
console-notices-times = { $count } times
console-notices-units = { $count ->
    [one] { $count } unit
   *[other] { $count } units
 }
console-notices-none = No notice is like this.
console-notices-all = Show all notices
console-notices-empty-title = Nobody was told anything yet
console-notices-empty-text = When an alarm or a campaign reaches an owner, the notice appears here with its way to them.

console-notice-back = All notices
console-notice-campaign = Its campaign
console-notice-to = To { $who }
console-notice-said = What it says
console-notice-why = Why they got it
console-notice-alarm = Open the alarm
console-notice-trail = What became of it

console-trail-told = { $channel }: shown
console-trail-waiting = { $channel }: waits
console-trail-claimed = { $channel }: being sent
console-trail-delivered = { $channel }: sent
console-trail-retry = { $channel }: tried, and again later
console-trail-failed = { $channel }: failed
console-trail-skipped = { $channel }: not sent
console-trail-unknown = { $channel }: nobody knows whether it arrived
console-trail-opened = { $channel }: opened
console-trail-acknowledged = { $channel }: confirmed by its owner

console-list-states = All states
console-list-state-draft = Drafts
console-list-state-published = Published
console-list-state-superseded = Replaced
console-list-state-withdrawn = Withdrawn
console-list-find = Number or title
console-list-none = No campaign is like this.
console-list-all = Show all campaigns
