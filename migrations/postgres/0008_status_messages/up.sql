-- No table changes: a row of the ledger may be of the slot status_message from here on, and a transition in the timeline
-- may name the side teams_note and the place pbx_note. An older build reads none of them; by this migration it refuses the
-- database and names the way back.
SELECT 1;
