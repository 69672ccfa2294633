"""The school's calendar and timetables (校历, 作息时间): what a day is for whom."""
