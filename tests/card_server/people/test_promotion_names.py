"""A homeroom's name a year later, in the many ways that schools name them."""

import pytest

from card_server.people.promotion_names import next_name


@pytest.mark.parametrize(
    ("name", "grade", "then"),
    [
        ("高一(3)班", 10, "高二(3)班"),
        ("初一（2）班", 7, "初二（2）班"),
        ("2024级3班", 10, "2024级3班"),
        ("24级(3)班", 8, "24级(3)班"),
        ("2027届1班", 8, "2027届1班"),
        ("三年级2班", 3, "四年级2班"),
        ("六年级(1)班", 6, "七年级(1)班"),
        ("小六(1)班", 6, "初一(1)班"),
        ("初中二年级3班", 8, "初中三年级3班"),
        ("初2(3)班", 8, "初3(3)班"),
        ("十年级1班", 10, "十一年级1班"),
        ("3年级2班", 3, "4年级2班"),
        ("七(2)班", 7, "八(2)班"),
        ("一年一班", 1, "二年一班"),
        ("302班", 3, "402班"),
        ("0703班", 7, "0803班"),
        ("7A", 7, "8A"),
        ("10(2)班", 10, "11(2)班"),
        ("Grade 7 Class 2", 7, "Grade 8 Class 2"),
        ("G10-3", 10, "G11-3"),
        ("高一(1)班", 1, "高二(1)班"),
        ("三班", 3, "三班"),
        ("3班", 3, "3班"),
        ("国际部A班", 10, "国际部A班"),
        ("高三(1)班", 12, "高三(1)班"),
    ],
)
def test_a_name_is_carried_on(name: str, grade: int, then: str) -> None:
    assert next_name(name, grade) == then
