//! One suite that every store obeys: the model and the data folder, verb by verb.

#![allow(clippy::unwrap_used)]

mod archive;
mod book;
mod brakes;
mod damage;
mod dmarc_reports;
mod embedded;
mod history;
mod inbox;
mod logins;
mod members;
mod plans;
mod reports;
mod requests;
mod reroutes;
mod rotation;
mod spool;
mod suppressions;
mod warm_ups;
mod webhooks;
mod world;

/// Runs each named check for each store, every one in a store of its own.
macro_rules! suite {
    ($($subject:ident: $($check:ident)+;)+) => {
        mod memory {
            $(mod $subject {
                $(#[tokio::test]
                async fn $check() {
                    crate::$subject::$check(&crate::world::memory()).await;
                })+
            })+
        }

        mod folder {
            $(mod $subject {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $check() {
                    let folder = crate::world::Folder::new();
                    let store = folder.open();
                    crate::$subject::$check(&store).await;
                })+
            })+
        }
    };
}

suite! {
    rotation:
        keys_follow_one_another_and_what_they_signed_verifies_while_it_is_on_its_way
        a_text_that_nobody_publishes_stops_the_rotation_and_nothing_else
        a_look_that_was_begun_before_a_key_was_made_says_nothing_of_it
        only_a_key_that_signs_no_more_is_made_anew;
    spool:
        commit_keeps_envelope_and_content
        what_was_asked_about_notifications_is_kept_too
        how_urgent_mail_is_is_known_to_the_queue
        an_abandoned_draft_leaves_nothing
        large_content_comes_back_whole
        a_claim_excludes_others_until_given_back
        what_is_not_there_is_not_claimed
        settled_recipients_leave_one_by_one
        a_deferred_recipient_waits_for_its_time
        an_attempt_counts_and_a_cancellation_does_not
        a_second_verdict_changes_nothing
        what_is_held_stays_held_until_released
        some_of_a_message_are_held_and_released
        a_hold_outlasts_the_attempt_it_met
        a_hold_by_the_operator_takes_the_place_of_one_that_ends_by_itself
        a_seal_is_kept
        the_queue_is_read_in_pages
        peeking_claims_nothing
        a_message_with_suppressed_recipients_alone_is_done
        verbs_on_what_is_not_live_say_so
        health_counts_what_is_live;
    members:
        nobody_shares_an_address
        somebody_always_administers
        a_member_changes_in_each_way
        sign_ins_end
        a_sign_in_that_has_ended_acts_for_nobody
        places_are_remembered_longer_than_sign_ins
        failed_sign_ins_are_kept_bounded_and_forgotten
        a_sign_in_without_its_code_is_a_failure
        what_was_checked_for_another_password_is_not_done
        who_has_not_joined_administers_nothing
        a_link_works_until_it_is_used_or_replaced;
    requests:
        a_request_is_remembered_as_it_last_was
        requests_are_bounded_and_forgotten
        answers_of_requests_are_bounded;
    inbox:
        what_is_captured_comes_back_whole
        a_message_is_kept_once_with_all_its_recipients
        the_list_is_searched_and_read_in_pages
        an_account_reaches_its_own_alone
        the_oldest_goes_first
        what_is_old_or_nobodys_goes;
    dmarc_reports:
        a_report_counts_once
        what_nobody_vouches_for_is_listed_and_not_counted
        huge_counts_stay_numbers
        what_is_old_or_nobodys_is_forgotten;
    brakes:
        a_brake_is_on_until_it_is_released
        brakes_of_long_ago_and_of_nobody_are_forgotten;
    warm_ups:
        a_climb_is_kept_by_source_and_provider
        a_warm_up_that_is_stopped_begins_again_at_its_foot
        a_source_that_is_named_no_more_is_forgotten;
    reroutes:
        the_same_part_is_sent_another_way_as_often_as_one_likes;
    plans:
        accounts_begin_on_the_default_plan
        a_plan_changes_for_those_that_are_on_it
        a_plan_in_use_is_retired_and_not_deleted
        a_request_is_asked_answered_and_kept
        what_follows_begins_on_its_day
        contacts_are_kept;
    logins:
        logins_keep_the_latest
        the_last_use_of_each_password
        the_last_login_of_some_users;
    book:
        accounts_are_numbered_and_never_again
        a_change_decides_before_the_verb_returns
        every_change_is_in_the_audit_log
        what_is_noted_is_in_the_audit_log
        what_does_not_exist_is_told
        a_domain_is_added_once_per_account
        selectors_are_never_given_twice
        only_one_account_validates_a_name
        a_vouched_domain_loses_to_a_validated_one
        two_vouched_domains_of_one_name_conflict
        a_deleted_domain_takes_its_users_and_keeps_its_keys
        a_domain_added_again_is_another
        a_key_comes_back_as_it_was_given
        a_key_is_seen_once
        dns_validates_a_domain_and_gives_it_72_hours
        dns_does_not_validate_what_another_account_has_proven
        a_claim_that_misses_records_gives_way_to_one_that_has_all
        a_word_taken_back_is_looked_at_anew
        signing_moves_to_the_other_selector_once_it_was_seen
        usernames_are_unique
        an_smtp_user_changes_in_each_way
        an_account_gets_another_quota
        what_was_told_of_a_certificate_is_kept
        a_look_is_kept_with_all_that_it_found
        what_was_told_of_a_quota_is_kept
        a_deleted_account_takes_all_that_is_its
        the_audit_log_is_read_in_parts
        api_keys_work_until_they_are_deleted
        blocks_are_kept_and_lifted;
    suppressions:
        suppressions_whatever_the_case
        streams_are_suppressed_by_themselves
        a_suppression_is_erased_without_its_address;
    webhooks:
        a_webhook_changes_in_each_way
        a_secret_signs_for_a_day_beside_the_new_one
        each_event_that_is_wanted_is_a_call
        what_nobody_wants_is_no_call
        a_call_waits_until_it_is_taken
        what_has_waited_for_a_day_is_given_up
        what_waits_is_bounded_and_what_is_dropped_is_counted
        the_log_keeps_the_newest
        calls_are_sent_once_more
        who_waits_for_calls_hears_of_them;
    reports:
        a_late_bounce_follows_the_delivery
        a_complaint_is_counted_beside_the_delivery
        who_vouches_stands_with_the_event_alone
        what_is_gone_is_counted_right_once
        a_late_bounce_corrects_the_day_of_the_account_that_was_counted_on
        a_report_of_nobody_is_shown_at_each_and_changes_nothing
        reports_of_one_recipient_are_bounded
        what_is_reported_of_mail_in_the_queue_waits_for_nothing
        the_recipients_of_a_message_are_those_that_are_left;
    history:
        a_message_makes_a_row_for_each_recipient
        suppressed_recipients_are_rejected_rows
        a_row_follows_its_recipient
        a_row_shows_the_last_attempt
        a_sandboxed_delivery_is_marked
        a_bounce_keeps_reason_and_reply
        a_hold_makes_pending_and_a_release_goes_on
        a_null_reverse_path_shows_from
        each_filter_narrows
        pages_meet_without_gap
        numbers_beyond_all_are_nobodys
        refusals_alike_are_one_row
        refusals_that_differ_are_rows_of_their_own
        connections_alike_are_one_row
        a_refusal_without_account_is_a_connection
        following_shows_each_change_once
        following_in_small_steps_misses_nothing
        following_waits_for_what_is_newer
        following_an_account_does_not_hear_of_others
        details_tell_every_event
        details_of_a_refusal_tell_its_session
        what_was_sent_is_counted_by_day_account_domain_and_user
        only_what_changes_a_row_is_counted
        what_was_committed_is_charged_once
        a_recipient_is_erased;
}
