"""Which test brings about which value of which command, from its real cause. `document` prints it; a test holds it."""

from typing import NamedTuple


class Cause(NamedTuple):
    """One way in which a command comes to return a value."""

    value: int
    cause: str
    test: str
    """`FOLDER/FILE::FUNCTION` below tests/, without `test_` and `.py`."""

    @property
    def file(self) -> str:
        """The test's file, from the repository's root."""
        folder, _, name = self.test.partition("::")[0].rpartition("/")
        return f"tests/{folder}/test_{name}.py"

    @property
    def function(self) -> str:
        """The test's name in it."""
        return f"test_{self.test.partition('::')[2]}"


STATUS = "`jbs_spmd_status`, `jco_spmd_status`"
DATABASE = "`jimdbstatus`"
EVENTS = "`jevstat`"
START_STOP = "`*_start.cluster`, `*_stop.cluster`"
KILLALL = "`*_killall.cluster`"
RELOAD = "`*_spmd_reload`"
SEND = "`jevsend`"

CAUSES = {
    STATUS: (
        Cause(0, "every service is ready", "commands/status::all_running_and_all_stopped"),
        Cause(
            8, "a suite without services is refused", "commands/status::an_empty_suite_is_refused_and_never_all_running"
        ),
        Cause(0, "the shared disk is full", "commands/shared_disk::full_while_it_runs"),
        Cause(0, "fifty ask at once", "commands/status::many_at_once_beside_other_commands"),
        Cause(
            0,
            "a service that hung beats again",
            "commands/status::a_service_that_hangs_counts_as_not_running_until_it_beats_again",
        ),
        Cause(0, "the process manager woke up again", "commands/status::a_frozen_manager_is_retry_then_failure"),
        Cause(1, "wrong arguments", "commands/status::argument_errors"),
        Cause(1, "the host runs no such suite", "commands/status::a_suite_that_the_host_does_not_run"),
        Cause(1, "the shared disk is not mounted", "commands/shared_disk::unmounted_before_the_start"),
        Cause(1, "it was unmounted while it ran", "commands/shared_disk::unmounted_while_it_runs"),
        Cause(1, "it answers every access with EIO", "commands/shared_disk::broken_while_it_runs"),
        Cause(1, "it blocks every write for ever", "commands/shared_disk::blocking_for_ever_while_it_runs"),
        Cause(1, "the shared directory was never set up", "commands/status::the_shared_directory_not_available"),
        Cause(1, "another node took it over", "commands/status::another_node_took_the_lease_over"),
        Cause(1, "another node holds it", "commands/start_stop::a_start_is_refused_while_another_node_holds_the_lease"),
        Cause(1, "the record is damaged", "commands/status::a_damaged_record"),
        Cause(1, "the process manager is frozen for good", "commands/status::a_frozen_manager_is_retry_then_failure"),
        Cause(4, "a service was killed", "commands/status::a_death_is_seen"),
        Cause(
            4,
            "a service ended by itself",
            "commands/status::an_end_without_a_fault_right_after_ready_is_no_running_service",
        ),
        Cause(
            4, "a service is overdue", "commands/status::a_start_is_retry_until_its_limit_then_counts_as_not_running"
        ),
        Cause(
            4,
            "a service hangs (SIGSTOP, its beat is missing)",
            "commands/status::a_service_that_hangs_counts_as_not_running_until_it_beats_again",
        ),
        Cause(4, "a service leaves and does not end", "commands/status::a_service_that_says_it_is_stopping"),
        Cause(4, "a program cannot be launched", "commands/start_stop::a_program_that_cannot_be_launched_says_why"),
        Cause(4, "the process manager is dead, services live", "commands/status::a_dead_manager_with_living_services"),
        Cause(4, "the same, and they hide", "commands/status::a_dead_manager_whose_services_hide"),
        Cause(4, "one process waits in the kernel", "commands/shared_disk::a_process_that_the_kernel_holds_is_named"),
        Cause(8, "never started, or stopped", "commands/status::all_running_and_all_stopped"),
        Cause(8, "forced termination", "commands/killall::no_way_out"),
        Cause(8, "the start was refused", "commands/start_stop::a_refused_start_says_so_and_leaves_nothing"),
        Cause(8, "`stop-all`: one service failed", "commands/start_stop::stop_all_on_failure"),
        Cause(8, "only a record of another boot is there", "commands/status::a_record_of_another_boot_is_nothing"),
        Cause(8, "the record names a recycled pid", "commands/killall::a_recycled_pid_is_left_alone"),
        Cause(12, "a start is under way", "commands/start_stop::a_start_that_takes_too_long_goes_on"),
        Cause(12, "a stop is under way", "commands/start_stop::a_stop_that_takes_too_long_goes_on"),
        Cause(12, "the process manager missed a beat", "commands/status::a_frozen_manager_is_retry_then_failure"),
        Cause(12, "the shared disk does not answer in time", "commands/status::a_shared_disk_that_hangs_is_a_time_out"),
    ),
    DATABASE: (
        Cause(0, "it accepts connections", "database/jimdbstatus::0_it_accepts_connections"),
        Cause(
            0,
            "the controller was killed, the postmaster lives",
            "database/sighting::a_controller_that_was_killed_leaves_a_record_that_is_soon_stale",
        ),
        Cause(0, "every connection is taken", "database/jimdbstatus::0_with_every_connection_taken_but_it_runs"),
        Cause(1, "wrong arguments", "database/jimdbstatus::1_for_wrong_arguments"),
        Cause(
            1,
            "the postmaster hangs; two beats after it began to",
            "database/sighting::a_postmaster_that_stands_still_is_believed_in_for_two_beats",
        ),
        Cause(1, "the postmaster hangs", "database/jimdbstatus::1_for_a_postmaster_that_hangs"),
        Cause(1, "its socket was removed", "database/jimdbstatus::1_for_a_postmaster_whose_socket_somebody_removed"),
        Cause(1, "the control file is damaged", "database/jimdbstatus::1_for_a_control_file_that_cannot_be_read"),
        Cause(1, "another version made it", "database/jimdbstatus::1_for_a_database_of_another_version"),
        Cause(1, "a file does not answer", "database/jimdbstatus::1_for_a_file_that_does_not_answer"),
        Cause(1, "the caller has no right to look", "database/jimdbstatus::1_for_a_user_who_may_not_look"),
        Cause(4, "recovery after a crash", "database/jimdbstatus::4_while_it_recovers"),
        Cause(4, "it shuts down", "database/jimdbstatus::4_while_it_shuts_down"),
        Cause(
            4,
            "the controller's start is under way",
            "database/jimdbstatus::4_while_the_controller_waits_for_a_program_that_does_not_get_going",
        ),
        Cause(
            4,
            "the controller's stop is under way",
            "database/jimdbstatus::4_while_the_controller_has_still_to_end_after_its_postmaster",
        ),
        Cause(8, "killed", "database/jimdbstatus::8_after_a_crash"),
        Cause(8, "killed while it shut down", "database/jimdbstatus::8_where_the_stop_was_interrupted"),
        Cause(8, "killed in its recovery", "database/jimdbstatus::8_where_the_recovery_itself_was_interrupted"),
        Cause(12, "stopped", "database/jimdbstatus::12_after_a_stop"),
        Cause(12, "another user's", "database/jimdbstatus::12_where_the_data_directory_is_another_users"),
        Cause(
            16,
            "the controller lives alone",
            "database/jimdbstatus::16_with_a_controller_that_lost_its_postmaster_and_hangs",
        ),
        Cause(20, "no data directory", "database/jimdbstatus::20_without_a_data_directory"),
        Cause(20, "the disk is not here", "database/jimdbstatus::20_where_the_disk_is_not_here"),
        Cause(20, "a server without our database", "database/jimdbstatus::20_for_a_server_without_our_database"),
    ),
    EVENTS: (
        Cause(0, "the event service runs", "base/jevstat::running_and_stopped"),
        Cause(1, "wrong arguments", "base/jevstat::argument_errors"),
        Cause(1, "no answer in time", "base/jevstat::no_answer_in_time_is_an_error_of_the_command"),
        Cause(4, "it cannot write", "base/jevstat::it_answers_but_takes_nothing_in"),
        Cause(4, "its writer hangs", "base/jevstat::the_writer_hangs"),
        Cause(8, "it was stopped", "base/jevstat::running_and_stopped"),
        Cause(12, "it is killed while it is asked", "base/jevstat::it_dies_while_it_is_asked"),
        Cause(12, "somebody else answers", "base/jevstat::an_answer_that_is_not_the_event_services_is_an_error"),
    ),
    START_STOP: (
        Cause(0, "done", "commands/start_stop::a_suite_starts_in_order_and_stops_the_other_way_round"),
        Cause(0, "the start outlasts its time", "commands/start_stop::a_start_that_takes_too_long_goes_on"),
        Cause(0, "the stop outlasts its time", "commands/start_stop::a_stop_that_takes_too_long_goes_on"),
        Cause(0, "the process manager is frozen", "commands/start_stop::a_frozen_manager_does_not_freeze_the_command"),
        Cause(
            0,
            "the process manager is dead",
            "commands/start_stop::a_start_beside_leftovers_of_a_dead_manager_is_refused",
        ),
        Cause(0, "the start is refused", "commands/start_stop::a_refused_start_says_so_and_leaves_nothing"),
        Cause(0, "the shared disk is read-only", "commands/shared_disk::read_only"),
        Cause(0, "the shared disk is full", "commands/shared_disk::full_before_the_start"),
        Cause(1, "wrong arguments", "commands/killall::argument_errors"),
    ),
    KILLALL: (
        Cause(0, "every way to escape", "commands/killall::no_way_out"),
        Cause(0, "two hundred processes", "commands/killall::two_hundred_processes"),
        Cause(0, "stopped and traced processes", "commands/killall::processes_that_do_not_run"),
        Cause(0, "the manager is dead, frozen, orphaned", "commands/killall::whatever_became_of_the_manager"),
        Cause(0, "the suite is half started", "commands/killall::a_half_started_suite"),
        Cause(0, "the shared directory is gone", "commands/killall::without_the_shared_directory"),
        Cause(1, "wrong arguments", "commands/killall::argument_errors"),
        Cause(1, "a process waits in the kernel", "commands/shared_disk::a_process_that_the_kernel_holds_is_named"),
        Cause(1, "the caller has no right to end it", "commands/killall::what_survives_is_named"),
    ),
    RELOAD: (
        Cause(0, "the definition was read again", "commands/reload::new_services_start_and_dropped_ones_stop"),
        Cause(1, "a mistake in it changes nothing", "commands/reload::a_mistake_changes_nothing"),
        Cause(1, "no process manager", "commands/reload::without_a_process_manager"),
    ),
    SEND: (
        Cause(0, "registered", "base/jevsend::an_event_is_registered_with_all_that_was_given"),
        Cause(255, "the event service is away", "base/jevsend::events_wait_in_the_spool_and_follow_in_order"),
        Cause(255, "it takes nothing in", "base/jevsend::a_service_that_takes_nothing_in_is_waited_for"),
        Cause(255, "wrong token", "base/jevsend::with_a_wrong_token_the_event_stays"),
        Cause(255, "wrong arguments", "base/jevsend::a_wrong_argument_is_one_line_and_255"),
    ),
}
"""Command -> the ways to each of its values."""
