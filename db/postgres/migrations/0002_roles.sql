CREATE UNIQUE INDEX "client_key_changes_nonce_unique" ON "client_key_changes" USING btree ("nonce");--> statement-breakpoint
-- Only the owner of the tables may create and drop partitions. A role that serves calls these functions for it.
CREATE FUNCTION "make_usage_day"(usage_day text) RETURNS void LANGUAGE plpgsql STRICT AS $$
DECLARE
	partition_name text := 'client_key_usage_' || replace(usage_day, '-', '');
BEGIN
	IF usage_day !~ '^\d{4}-\d{2}-\d{2}$' THEN
		RAISE EXCEPTION 'a day of usage is a date such as 2026-01-31';
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE "client_key_usage" INCLUDING ALL)', partition_name);
	EXECUTE format(
		'ALTER TABLE "client_key_usage" ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
		partition_name, usage_day, to_char(usage_day::date + 1, 'YYYY-MM-DD')
	);
END
$$;--> statement-breakpoint
-- Partitions of earlier days and nothing else, whatever the caller passes. Nobody can count while a partition waits to
-- be dropped, so the wait is short.
CREATE FUNCTION "drop_usage_days"(first_kept text) RETURNS void LANGUAGE plpgsql STRICT SET lock_timeout = '200ms' AS $$
DECLARE
	today text := to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD');
	partition_name name;
BEGIN
	FOR partition_name IN
		SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
		WHERE inhparent = '"client_key_usage"'::regclass AND relname ~ '^client_key_usage_\d{8}$'
			AND relname < 'client_key_usage_' || replace(LEAST(first_kept COLLATE "C", today), '-', '')
	LOOP
		EXECUTE format('DROP TABLE IF EXISTS %I', partition_name);
	END LOOP;
END
$$;--> statement-breakpoint
-- Only the entry that comes after the last one is appended: no gap, and no number that leaves no room for the next.
CREATE OR REPLACE FUNCTION "audit_head_follows"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE "audit_head" SET "sequence" = new."sequence", "hash" = new."hash"
	WHERE "sequence" + 1 = new."sequence" AND "hash" = new."previous_hash";
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the audit trail is append-only';
	END IF;
	RETURN NULL;
END
$$;--> statement-breakpoint
-- The trigger moves the head as the owner, so that a role that serves needs no right to do it. Nobody else may call the
-- functions: with a trigger on a table of their own, they could move the head.
DO $$
DECLARE
	signature text;
BEGIN
	FOREACH signature IN ARRAY ARRAY['"audit_head_follows"()', '"make_usage_day"(text)', '"drop_usage_days"(text)'] LOOP
		EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', signature, current_schema());
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
	END LOOP;
END
$$;
