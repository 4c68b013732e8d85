-- No table changes: a row of the ledger may be of the slot status_message from here on, and a transition in the timeline of
-- the side teams_note. An older build can read neither; by this migration it refuses the database and names the way back.
SELECT 1;
