CREATE TABLE `app_port_counter` (
	`id` integer PRIMARY KEY NOT NULL,
	`last` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `audit_head` (
	`id` integer PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
-- One row each from the start, so that every change is an update.
INSERT INTO `audit_head` (`id`, `sequence`, `hash`) VALUES (
	1,
	coalesce((SELECT `seq` FROM `sqlite_sequence` WHERE `name` = 'audits'), 0),
	coalesce((SELECT `hash` FROM `audits` ORDER BY `sequence` DESC LIMIT 1), '0000000000000000000000000000000000000000000000000000000000000000')
);
--> statement-breakpoint
INSERT INTO `app_port_counter` (`id`, `last`) SELECT 1, coalesce(max(`port`), 3000) FROM `apps` WHERE `discarded_at` IS NULL;
--> statement-breakpoint
-- By triggers, so that a process of an earlier version that still runs moves them as well.
CREATE TRIGGER `audit_head_follows` AFTER INSERT ON `audits` BEGIN
	UPDATE `audit_head` SET `sequence` = new.`sequence`, `hash` = new.`hash`;
END;
--> statement-breakpoint
CREATE TRIGGER `app_port_counter_follows` AFTER INSERT ON `apps`
WHEN new.`port` > (SELECT `last` FROM `app_port_counter`) BEGIN
	UPDATE `app_port_counter` SET `last` = new.`port`;
END;
