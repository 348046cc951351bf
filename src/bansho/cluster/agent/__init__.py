"""The OCF resource agent's reasoning half: everything but a monitor that finds the suite well (`cluster/ocf/suite`)."""
