-- What could not be told to owners, by an error of ours, is listed without a look at all that was told.
CREATE INDEX campaign_unit_failed ON campaign_unit (campaign_id, unit_id) WHERE tries > 0;
CREATE INDEX alarm_due_failed ON alarm_due (alarm_id) WHERE tries > 0;
