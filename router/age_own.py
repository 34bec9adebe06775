"""What only those under 18 say of themselves, where no relative is named before it: birthdays, school, years to come.

Runs on the same text as `age_phrases`. All are google-re2 patterns, so their time is linear in the text.
"""

from __future__ import annotations

from typing import Any

import re2

from router.age_phrases import (
    AT_SCHOOL,
    CALLER,
    CLASS,
    EN_MONTH,
    KIN,
    SAYS,
    SOON,
    TEEN,
    N,
    T,
    any_of,
)

_BEFORE = 60  # bytes before the phrase in which a relative would be named
_JUST = r"(?:next|last|this|on|in|tomorrow|yesterday|today|coming|soon|just|the other|a (?:week|month|day))"
_YEARLY = r"(?:aya|ay|haftaya|hafta|seneye|sene|yila|yil|yarin|obur\S*|yazin|sonra|gune|gun|baharda|kisin)"
_TR_BEFORE = r"(?:su an|simdi|ben|bende|daha|henuz|bu sene|yeni|anca)"
OWN = any_of(
    # ages in Turkish
    rf"{T}(?::\S+)?(?: [iu]?m| yas\S*)?(?: daha| henuz| bile)? (?:dolma|bitme|tamamlanma)(?:di|mis)(?: \S+)?",
    rf"(?:daha|henuz|yeni|anca\S*) {T} (?:doldu|bitti)|{T} (?:doldu|bitti) yas\S*"
    rf"|yas\S* (?:daha |yeni )*{T} (?:doldu|bitti)",
    rf"{T}:\S*(?: yas\S*)? (?:bas|gir|doldur|bitir)\S*l[iu]|{T} yas\S+ (?:basali|gireli|doldurali|bitireli)",
    rf"{T}:\S*m[aeiu] (?:\S+ )?(?:gir(?:di|iyo|ece|ice|ce|mis)|bas(?:ti[mk]|iyo|aca|ica|ca|mis|mad)"
    rf"|doldur(?:du|uyo|aca|uca)"
    r"|bitir(?:di|iyo|ece|ice))\S*",
    rf"yas\S*(?: \S+){{0,9}} {T} (?:dedi[mk]|soyledi[mk]|demistim)|{T}(?::\S+)? oldugu(?:m|muz) (?:icin|diye)"
    rf"|{T}:\S*m[aeiu](?: \S+){{1,2}} (?:ay|gun|hafta|sene|yil)\S* (?:var|kaldi|kalmis)",
    rf"(?:kagit|kimli[kg]|nufus|resmi)\S*(?: \S+)? {TEEN} (?:gorun|cik|gozuk|geci)\S*[mz]",
    # Turkish: eighteen to come
    rf"{_YEARLY} 18:[iu][mz]|(?:sene|yil|ay|gun|hafta)\S* (?:kaldi|kalmis|kala|var) 18(?::\S+)?",
    r"(?:hicbirimiz|kimse|hepimiz|ikimiz)(?: \S+)? 18(?::\S+)? (?:yas\S* )?(?:degil|degiliz|olmadi\S*|alti\S*)",
    r"resit olma(?:m|ma|mam|miz|mama)(?: \S+){0,3} (?:ay|gun|hafta|sene|yil)\S*(?: \S+){0,2} (?:var|kal|bekle"
    r"|gerek|lazim)\S*",
    r"18(?::\S+)? (?:daha|cok) (?:var|cok)|18:\S*m[ae](?: \S+){0,2} (?:var|kaldi|kalmis)",
    # Turkish: too young
    r"(?:yasim|yasimiz|yasimdan|yasimizdan)(?: dolayi| oturu| itibar\S*| geregi| nedeniyle| yuzunden"
    r"| dolayisiyla| sebebiyle| icin)(?: \S+){0,3}?"
    r" (?:hesap\S*|uye|uyelik|kayit|adima|cekim)(?: \S+){0,2}? \S+[ae]m(?:iyo|adi|edi|am|em|az|ez)\S*",
    r"kimli[kg]\S*(?: daha| hala)* cocuk kimli[gk]\S*|cocuk kimlig(?:im|i) (?:bu|var|daha)",
    rf"{T} yasinda (?:olmam(?:iz)?|oldugum(?:uz)? (?:icin|halde)|oldugumdan)|cocugum ben(?: daha)?",
    r"ben (?:zaten|daha|hala|yasca|henuz) kucugum|18:\S*[iu] bekl\S*[mz]",
    r"resit olmayan (?:bir |bi )?(?:kullanici|uye|oyuncu|genc|ogrenci|musteri|kisi)(?:y?[iu]m|s?iyim)",
    r"cocuk sayil(?:iyo\S*[mz]|ir[iu][mz]|iyormusu[mz]|iyomusu[mz])",
    # Turkish schools
    rf"(?:orta|ilk) ?okul [5-8](?::\S+| im| um)?|{CLASS}[ :][a-h] (?:y[iu][mz]|liy[iu][mz])",
    rf"{_TR_BEFORE} (?:{CLASS}) (?:bitti|bitiyo\S*)",
    r"lgs(?:m|yi|den|de|ye)? (?:\S+ )?(?:bitti|gecti|cikisi|puanim\S*|sonucu[mz]\S*|gir(?:di[mk]|iyo\S*[mz]"
    r"|ic\S*[mz]|ece\S*m|cem)|var|kotu gecti|kaldi)"
    r"|lgs(?:m|yi|den|ye)(?: \S+){0,2} (?:girdi[mk]|girdim|aldim|cikti[mk]|kazandim|hazirlan\S*[mz]|calis\S*[mz])",
    r"ogrenciyim (?:ben )?lise(?: [1-4])?|ben lise [1-4](?::\S+)?|lise [1-4](?: \S+){0,2} (?:zor|bitmedi|harclig\S*)",
    r"(?:orta ?okul|lise)\S* (?:bu sene|bu yil|haziranda|seneye|yazin|yeni) bitir\S*[mz]",
    r"(?:orta ?okul|lise|8 sinif|8:inci sinif) (?:bitsin|bitince|biterse|bitmeden)|[5-9]:(?:a|e|ya"
    r"|ye) basl[iu]yo\S*[mz]",
    r"okula (?:giden|gitmek zorunda|gidiyo\S*) (?:biriyim|ogrenciyim)",
    # English
    rf"my (?:own |upcoming |big )?{N}:th (?:birthday|bday|b day)(?: is| was| party| s| isnt| wasnt)? (?:only )?"
    rf"{_JUST}",
    rf"(?:its|it is|its only|it was|was|tomorrow is|today is)(?: only| just)? my {N}:th(?: birthday| bday)?",
    rf"my {N}:th (?:is|was|s)(?: \S+)? {_JUST}|got (?:\S+ ){{0,3}}for my {TEEN}:th (?:birthday|bday)?",
    rf"(?:ill|i will|im gonna|gonna) be {TEEN}|i (?:just|only|finally|recently) hit {TEEN} (?:n|and|a|last"
    rf"|this|years?|on|so)",
    rf"{CALLER}(?: \S+)? {SAYS}(?: that| to| us| me){{0,3}} (?:he|she|they)(?: is| was| s| are) (?:still )?(?:a )?"
    rf"(?:pupil|student|schoolboy|schoolgirl)(?: still)?(?: in| of| at) (?:the )?{AT_SCHOOL}",
    rf"{TEEN} (?:and|n) (?:\S+ ){{1,3}}(?:months?|half|quarters?)",
    rf"(?:next|this) (?:year|month|week|summer|spring|\S+day|{EN_MONTH}) (?:i|ill|im|i will|ill be)(?: turn"
    rf"| be| turning)?"
    rf" (?:18|{TEEN})|not old enough (?:i know|yes|lol|apparently|haha|tbh|sorry)",
    rf"turned {TEEN} (?:last|this|on|yesterday|today|a (?:week|month)|recently|{SOON})",
    r"birthdays? (?:and|then|till|until|before|away)(?: \S+){0,3} (?:legal|18|of age|adult)"
    r"|(?:ill|i will|gonna|going to) be (?:legal|of age|an adult|old enough)",
    r"(?:ive got|i have|i got|got|have|doing|sitting|after|before|revising for|during|failed|taking)"
    r" (?:my |our |the )?gcses? (?:next|this|tomorrow|soon|coming|on|in|rn|now|so|and|week|to)"
    r"|(?:my|our) (?:8:th grade|middle school|freshman year|sophomore year)",
    # German, Russian, Arabic
    rf"(?:bin|werde|wurde|gerade|erst|letzte \S+|gestern)(?: \S+)? {TEEN} geworden|mein {T}(?::te\S*)? geburtstag",
    rf"(?:gestern|heute|vorgestern|letzte\S* \S+|morgen|nachste\S* \S+)(?: \S+)? meinen {T}(?::\S+)? geburtstag",
    rf"(?:hab|habe|feier\S?)(?: \S+){{0,3}} meinen {T}(?::\S+)? geburtstag"
    rf"|ich (?:schon |erst )?mit {TEEN} (?:schon|hier|bei|spiele|zocke|wette|gespielt habe)",
    r"(?:еще|ждать|остал\S*|осталось|ещё)(?: \S+){0,3} до 18",
    r"(?:mir )?fehlen(?: \S+){0,3} (?:bis|zur|zum) (?:18|volljahrigkeit)",
    r"(?:сдаю|готовлюсь к|сдавал\S?|у меня|сдавать|завалил\S?)(?: \S+)? огэ|я(?: еще| уже| только)? в (?:[5-9]"
    r"|1[01]):м"
    r"|на перемене|классн(?:ая|ый|ои|ую) (?:руководител\S*|забрал\S?|отобрал\S?)",
    r"(?:باقي|باقيلي|ضايل|ضايلي|بقي|فاضل|فاضلي|ناقصني)(?: \S+){1,3} ?و?(?:اصير|بصير|ابلغ|اكمل|اتم|يصير|حتى|عشان)"
    r"(?: عمري)? ?(?:ال)?18|(?:باقي|ضايل|فاضل|بقي)(?: \S+){1,3} (?:على|لل|ع|لعمر|ل)? ?(?:ال)?18",
)


# "son sınıf" is the last class
_SON = re2.compile(r" (?:my|our|his|her|the|your|a|mein|ihr|unser) (?:\S+ )?son ")
_LAST = re2.compile(r" son ")


# Who teaches a class does not sit in it
_TEACHES = any_of(
    r"\S*ogretmeniyi[mz]|(?:ben|kendim|emekli|bir) ogretmenim|ogretmenim ben|(?:sinif|ders)\S*(?: \S+)? okutuyorum"
    r"|(?:beden|matematik|fizik|turkce|ingilizce|din|muzik|resim|okul|lise) (?:\S+ )?hocasiyim"
    r"|rehber ogretmenim|sinav gozetmeniyi[mz]|okul muduruyum|mudur yardimcisiyim",
    r"i teach|(?:im|i am|as) an? (?:\S+ )?(?:teacher|headteacher|lecturer)|i coach|my pupils"
    r"|unterrichte|bin (?:\S+ )?lehrer(?:in)?|als lehrer(?:in)?|я (?:учитель\S*|преподаю)|انا (?:معلم|معلمة"
    r"|مدرس|استاذ)",
)
_CLASSES = re2.compile(
    r"sinif|okul|lise|ogrenci|klasse|grade|class|year|form|school|pupil|student|класс|школ|صف|مدرس"
    r"|[0-9][ :][a-h] "
)


def is_of_a_teacher(text: bytes, said: bytes) -> bool:
    """Whether what was `said` of a class or school comes from somebody who teaches there."""
    return _CLASSES.search(said) is not None and _TEACHES.search(text) is not None


def found(text: bytes) -> Any:
    """The first such phrase, or nothing where a relative is named shortly before it."""
    said = OWN.search(text)
    if not said:
        return None
    before = b" " + text[max(0, said.start() - _BEFORE) : said.start()] + b" "
    if KIN.search(_LAST.sub(b" ", _SON.sub(b" sons ", before))):
        return None
    return said
