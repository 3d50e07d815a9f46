CREATE TABLE `client_key_changes` (
	`epoch` integer PRIMARY KEY NOT NULL,
	`nonce` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `database_marks` ADD `detail` text;
--> statement-breakpoint
-- By a trigger, so that a process of an earlier version that still runs adds them as well. Of the same epoch again,
-- whatever set it back, the change is another.
CREATE TRIGGER `client_key_changes_follow` AFTER UPDATE OF `epoch` ON `client_key_epoch` BEGIN
	INSERT OR REPLACE INTO `client_key_changes` (`epoch`, `nonce`) VALUES (
		new.`epoch`,
		lower(
			hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||
			substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
		)
	);
	DELETE FROM `client_key_changes` WHERE `epoch` <= new.`epoch` - 10000;
END;
