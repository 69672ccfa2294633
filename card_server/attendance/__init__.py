"""Attendance (考勤): a student's day from taps, plan, leave and corrections."""
