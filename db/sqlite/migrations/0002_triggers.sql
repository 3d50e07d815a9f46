-- One row from the start, so that every change is an update.
INSERT INTO `client_key_epoch` (`id`, `epoch`) VALUES (1, 0);
--> statement-breakpoint
CREATE TRIGGER `audits_never_updated` BEFORE UPDATE ON `audits` BEGIN
	SELECT raise(abort, 'the audit trail is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audits_never_deleted` BEFORE DELETE ON `audits` BEGIN
	SELECT raise(abort, 'the audit trail is append-only');
END;
--> statement-breakpoint
-- INSERT OR REPLACE would delete without the trigger above.
CREATE TRIGGER `audits_only_appended` BEFORE INSERT ON `audits`
WHEN new.`sequence` <= (SELECT coalesce(max(`sequence`), 0) FROM `audits`) BEGIN
	SELECT raise(abort, 'the audit trail is append-only');
END;
