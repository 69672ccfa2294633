"""Small packages of our own: a school of two homerooms in each version, to be changed at will."""

import csv
import io
import zipfile
from collections.abc import Mapping

from integrations.roster.oneroster.csv_reader import read_csv
from integrations.roster.oneroster.options import Options
from integrations.roster.protocol import Finding, Roster, StudentEntry

Files = dict[str, str]

V1_1: Files = {
    "manifest.csv": """\
propertyName,value
manifest.version,1.0
oneroster.version,1.1
file.academicSessions,bulk
file.categories,absent
file.classes,bulk
file.classResources,absent
file.courses,bulk
file.courseResources,absent
file.demographics,bulk
file.enrollments,bulk
file.lineItems,absent
file.orgs,bulk
file.resources,absent
file.results,absent
file.users,bulk
source.systemName,Test
source.systemCode,test
""",
    "orgs.csv": """\
sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId
d1,,,东城区,district,D,
s1,,,实验中学,school,3101,d1
""",
    "academicSessions.csv": """\
sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear
y1,,,2026学年,schoolYear,2026-09-01,2027-07-10,,2027
t1,,,第一学期,term,2026-09-01,2027-01-20,y1,2027
""",
    "courses.csv": """\
sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes
c7,,,y1,班级,HR07,07,s1,,
""",
    "classes.csv": """\
sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods
h1,,,七年级（1）班,07,c7,71,homeroom,,s1,t1,,,
h2,,,七年级（2）班,07,c7,72,homeroom,,s1,t1,,,
m1,,,数学,07,c7,M,scheduled,,s1,t1,数学,,
""",
    "users.csv": """\
sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password
u1,,,true,s1,student,20260001,,伟,张,,20260001,,,,"g1,g2",07,
u2,,,true,s1,student,20260002,,娜,欧阳,,20260002,,,,g1,07,
t9,,,true,s1,teacher,li,,明,李,,T1,,,,,,
g1,,,true,s1,parent,zg,,强,张,,,,+8613800000001,010-62770001,"u1,u2",,
g2,,,true,s1,guardian,wf,,芳,王,,,,13800000002,,,,
""",
    "demographics.csv": """\
sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus
u1,,,2013-05-06,male,,,,,,,,CN,,,
u2,,,2013-07-08,female,,,,,,,,CN,,,
g1,,,1980-01-02,male,,,,,,,,CN,,,
""",
    "enrollments.csv": """\
sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate
e1,,,h1,s1,u1,student,,2026-09-01,2027-07-10
e2,,,h2,s1,u2,student,,2026-09-01,2027-07-10
e3,,,m1,s1,u1,student,,,
e4,,,h1,s1,t9,teacher,true,,
""",
}

V1_2: Files = {
    **V1_1,
    "manifest.csv": V1_1["manifest.csv"]
    .replace("version,1.1", "version,1.2")
    .replace("file.users", "file.roles,bulk\nfile.userProfiles,absent\nfile.users"),
    "users.csv": """\
sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns
u1,,,true,20260001,,伟,张,,20260001,,,,"g1,g2",07,,,,,,s1,
u2,,,true,20260002,,娜,欧阳,,20260002,,,,g1,07,,,,,,s1,
t9,,,true,li,,明,李,,T1,,,,,,,,,,,s1,
g1,,,true,zg,,强,张,,,,+8613800000001,010-62770001,,,,,,,,s1,
g2,,,true,wf,,芳,王,,,,13800000002,,,,,,,,,s1,
""",
    "roles.csv": """\
sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId
r1,,,u1,primary,student,,,s1,
r2,,,u2,primary,student,,,s1,
r3,,,t9,primary,teacher,,,s1,
r4,,,g1,primary,parent,,,s1,
r5,,,g2,primary,guardian,,,s1,
""",
}

SDS: Files = {
    "orgs.csv": "sourcedId,name,type,parentSourcedId\ns1,实验中学,school,\n",
    "academicSessions.csv": """\
sourcedId,title,type,schoolYear,startDate,endDate
y1,2026,schoolYear,2027,2026-09-01,2027-07-10
""",
    "classes.csv": """\
sourcedId,orgSourcedId,title,sessionSourcedIds,courseSourcedId
h1,s1,七年级（1）班,y1,
""",
    "users.csv": """\
sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms
u1,zw@example.cn,伟,张,Secret-1,,,,
u2,on@example.cn,娜,欧阳,Secret-2,,,,
g1,zq@example.cn,强,张,,,,,+8613800000001
""",
    "roles.csv": """\
userSourcedId,orgSourcedId,role,sessionSourcedId,grade,isPrimary,roleStartDate,roleEndDate
u1,s1,student,y1,07,TRUE,,
u2,s1,student,y1,07,TRUE,,
""",
    "relationships.csv": """\
userSourcedId,relationshipUserSourcedId,relationshipRole
u1,g1,parent
u2,g1,relative
""",
    "enrollments.csv": """\
classSourcedId,userSourcedId,role
h1,u1,student
h1,u2,student
""",
    "demographics.csv": """\
userSourcedId,sex,birthDate
u1,male,2013-05-06
g1,female,
""",
}


def changed(files: Files, file: str, old: str, new: str) -> Files:
    """The package with one piece of one file replaced; the piece must be there."""
    assert old in files[file]
    return {**files, file: files[file].replace(old, new)}


def without(files: Files, file: str) -> Files:
    """The package without a file."""
    return {name: text for name, text in files.items() if name != file}


def zipped(files: Mapping[str, str | bytes]) -> io.BytesIO:
    """The package as an open zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    stream.seek(0)
    return stream


def read(files: Mapping[str, str | bytes], options: Options | None = None) -> Roster:
    """What the reader makes of the package."""
    return read_csv(zipped(files), options)


def found(roster: Roster, kind: str) -> list[Finding]:
    """The roster's findings of a kind, without its "oneroster." in front."""
    return [finding for finding in roster.findings if finding.kind == f"oneroster.{kind}"]


def only(roster: Roster, kind: str) -> Finding:
    """The one finding of a kind."""
    [finding] = found(roster, kind)
    return finding


def place(finding: Finding) -> tuple[str, int | None, str]:
    """Where a person finds it."""
    return finding.file, finding.line, finding.field


def student(roster: Roster, number: str) -> StudentEntry:
    """The student of that number."""
    [entry] = [entry for entry in roster.students if entry.number == number]
    return entry


def records(text: str) -> list[dict[str, str]]:
    """The rows of a CSV text."""
    return list(csv.DictReader(io.StringIO(text)))
