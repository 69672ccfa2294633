"""Card faces (卡面): what is printed on a student's card, as PDF."""
