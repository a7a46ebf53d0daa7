//! What every database must do for the store, as one suite.
//!
//! The tests are functions of a [`Place`]. A second database implements that trait and runs the same list,
//! with one more line at the end of this file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod drafts;
mod fixtures;
mod generations;
mod jobs;
mod journal;
mod leases;
mod library;
mod posts;
mod shared;

use atelier_store::Store;

/// A place for a store, empty at first and gone when it is dropped.
pub(crate) trait Place: Sync {
    /// A store on this place. A second one sees what the first has written, as another process would.
    fn open(&self) -> Store;
}

macro_rules! contract {
    ($place:expr, $($module:ident: $($test:ident)+;)+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::$module::$test(&$place).await;
            })+
        })+
    };
}

/// The whole suite for one kind of place.
macro_rules! contract_for {
    ($place:expr) => {
        contract! {
            $place,
            journal:
                items_are_pending_in_order_until_they_have_an_outcome
                what_was_settled_is_there_when_the_store_is_opened_again
                the_first_outcome_of_an_item_stands
                every_kind_of_outcome_comes_back_as_it_was_given
                reservations_are_numbered_upwards_in_their_order
                the_models_of_an_account_share_its_scope
                a_block_of_calls_counts_for_what_ended_and_for_what_may_yet_be_used
                whoever_is_in_line_goes_before_those_that_were_served_more
                those_that_come_together_begin_level
                whoever_is_waited_for_goes_first_until_its_place_is_lost
                a_run_that_has_not_seen_anothers_reservation_is_told_of_it
                own_reservations_and_other_pools_put_nobody_behind
                what_left_long_ago_puts_nobody_behind
                a_settled_call_counts_for_what_was_reported_from_when_it_left
                the_ledger_holds_what_left_since
                outcomes_may_come_without_a_call
                settling_what_was_never_reserved_is_an_error_and_writes_nothing
                what_is_not_reported_is_not_zero_and_not_an_error
                a_lesson_takes_the_place_of_the_one_of_its_scope_until_it_is_forgotten
                spending_is_told_by_pool_job_lane_and_day
                a_settlement_that_is_written_again_changes_nothing
                whoever_lost_its_lease_reserves_nothing_more_and_still_settles
                time_never_goes_back_and_a_stamp_of_far_ahead_is_no_time
                what_a_pool_is_like_is_kept;
            changes:
                every_change_is_told_once_in_order
                one_that_waits_is_told_of_its_own_and_of_anothers_changes
                six_writers_are_followed_without_a_gap
                what_is_forgotten_is_said_to_be;
            leases:
                a_job_is_held_once_and_free_again_when_its_lease_is_dropped
                a_lease_may_be_called_anything
                the_oldest_open_job_that_nobody_has_is_claimed;
            jobs:
                a_job_comes_back_as_it_was_made
                a_job_id_is_taken_once
                items_added_later_come_after_the_first
                adding_to_no_job_is_an_error
                jobs_are_listed_newest_first_by_page
                outcomes_are_listed_in_order_by_page
                counts_and_totals_add_up
                a_state_is_kept_with_its_note_and_its_time
                calls_never_settled_are_listed_with_their_items
                failed_items_are_pending_again_once_the_job_is_reopened
                reopening_a_job_without_failed_items_changes_nothing
                a_failed_post_that_another_job_has_taken_is_not_reopened;
            posts:
                a_project_comes_back_as_it_was_added
                a_project_name_is_taken_once
                a_finder_is_replaced
                a_project_that_is_not_there_is_named
                a_project_takes_its_posts_and_drafts_with_it
                a_project_is_kept_while_a_job_answers_posts_of_it
                posts_are_added_updated_and_left_as_they_are
                posts_are_listed_newest_first_by_page
                a_funnel_counts_posts_by_how_far_they_have_come
                any_text_comes_back_byte_for_byte
                counts_beyond_the_databases_range_are_its_largest
                candidates_pass_the_filter_newest_first
                candidates_leave_out_what_was_answered_and_what_is_being_answered
                a_post_is_claimed_by_one_job_at_a_time
                a_post_that_failed_may_be_claimed_again
                removed_posts_take_their_drafts_with_them
                posts_are_kept_while_a_job_answers_them;
            drafts:
                answers_are_saved_with_their_drafts
                saving_an_answer_again_changes_nothing
                a_failed_answer_may_become_a_drafted_one
                drafts_are_listed_by_page_and_filter
                drafts_the_filter_rejected_are_listed_only_when_asked_for
                a_draft_lives_from_pending_to_posted
                a_step_that_life_does_not_have_changes_no_draft
                whoever_approves_a_rejected_draft_overrules_its_reason
                a_draft_that_does_not_exist_is_named
                answered_posts_are_those_with_drafts
                scores_are_replaced_and_shown_with_drafts
                vectors_are_kept_by_embedder_and_hash;
            library:
                an_image_comes_back_as_it_was_added
                the_same_bytes_are_kept_once
                of_many_that_bring_the_same_bytes_one_succeeds
                an_image_id_is_taken_once
                images_are_listed_newest_first_by_page
                images_are_listed_by_what_they_have
                a_changed_image_takes_the_place_of_the_one_that_was_read
                other_words_make_the_vector_of_the_old_ones_void
                images_that_lack_a_vector_are_listed_by_page
                vectors_of_embedders_no_longer_used_are_forgotten
                a_removed_image_is_in_the_trash_and_its_objects_are_garbage_once_that_is_emptied
                every_change_of_the_library_is_logged_once
                a_number_of_the_log_is_never_used_again
                collections_are_made_renamed_and_removed
                tags_are_listed_with_how_many_images_have_them
                perceptual_hashes_are_read_by_page
                files_that_were_imported_are_known
                nobody_deletes_objects_while_others_write_them;
            generations:
                a_plan_is_kept_and_submitted_once
                what_was_made_comes_back_and_is_saved_once
                what_was_not_made_can_be_tried_again_and_given_up
                made_images_are_listed_newest_first_by_what_they_are
                a_made_image_is_noted_on_promoted_and_deleted;
            shared:
                sixty_four_writers_lose_nothing
                a_batch_that_fails_leaves_those_beside_it_alone
                a_batch_is_done_whole_or_not_at_all
                a_guard_undoes_what_came_before_it
                processes_that_share_a_limit_take_no_more_of_it_than_there_is
                a_cursor_that_no_list_gave_is_an_error;
        }
    };
}

mod sqlite {
    use atelier_store::Store;
    use tempfile::TempDir;

    /// A folder with a SQLite database.
    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    impl crate::Place for Folder {
        fn open(&self) -> Store {
            Store::open(self.0.path()).unwrap()
        }
    }

    contract_for!(super::Folder::new());
}
