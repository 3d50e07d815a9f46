CREATE INDEX `audits_subject_type` ON `audits` (`subject_type`,`sequence`);--> statement-breakpoint
CREATE INDEX `audits_subject_id` ON `audits` (`subject_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `audits_actor_kind` ON `audits` (`actor_kind`,`sequence`);