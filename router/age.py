"""Whether a sender says to be under 18, and whether a message reports somebody else who is.

Works on `rules.plain_words`: folded, one blank between words. All repeats are bounded, so the time is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2

ADULT = 18

_MINOR = (
    r"(?:[89]|1[0-7]|sekiz|dokuz|on ?(?:bir|iki|uc|dort|bes|alti|yedi)"
    r"|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|dreizehn|vierzehn|funfzehn|sechzehn|siebzehn|(?:три|четыр|пят|шест|сем)надцать"
    r"|(?:ثلاث|اربع|خمس|ست|سبع) ?عشر\w?|(?:تلت|اربع|خمس|ست|سبع)(?:طعش|تاشر|تاش|طاشر)\w{0,2})"
)
_TEEN = r"(?:1[0-7]|on ?(?:uc|dort|bes|alti|yedi)|thirteen|fourteen|fifteen|sixteen|seventeen)"
_OLDER = (
    r"(?:1[89]|[2-9]\d|on ?dokuz|nineteen"
    r"|(?:yirmi|otuz|kirk|elli|altmis|twenty|thirty|forty|fifty|sixty)(?: ?[a-z]{2,5})?)"
)
# "im 16 days waiting" is no age, nor is "ben 17 gundur bekliyorum"
_UNITS = (
    r"(?:days?|weeks?|months?|hours?|minutes?|mins?|times?|years?(?! (?:old"
    r"|of age))|euros?|usd|dollars?|quid|pounds?"
    r"|percent|levels?|lvl|bets?|spins?|points?|k|bin|games?|matches"
    r"|thousand|down|up|emails?|grand|th|st|rounds?|seconds?"
    r"|gun\w{0,6}|ay\w{0,5}|yil\w{0,6}|sene\w{0,5}|hafta\w{0,4}|saat\w{0,4}"
    r"|dakika\w{0,3}|dk|tl|lira\w{0,5}|kez|kere|defa"
    r"|mac\w{0,4}|kupon\w{0,4}|el|spin\w{0,4}|tane\w{0,3}|seviye\w{0,6}"
    r"|sira\w{0,4}|numara\w{0,4}|nolu|oran\w{0,4}|bahis\w{0,3}"
    r"|tage|wochen|monate|stunden|uhr|mal|днеи|дня|раз|руб\w{0,4}|лир\w{0,2}|час\w{0,3}|%|يوم|ساعة|ليرة) "
)
_RELATION = (
    r"(?:(?:kiz |erkek |kucuk )?kardes\w{0,8}|oglu\w{0,6}|oglan\w{0,6}"
    r"|kiz(?:im|i|imiz|imin|inin|lari)|cocu[gk]\w{0,9}"
    r"|yegen\w{0,7}|torun\w{0,7}|kuzen\w{0,6}|ogrenci\w{0,8}|velet\w{0,4}"
    r"|ufaklik|delikanli|bebe|evla[dt]\w{0,4}|genc|ergen"
    r"|sons?|daughters?|child|children|kids?|boy|girl|lad|brothers?"
    r"|sisters?|nephew|niece|grandson|granddaughter|grandchild"
    r"|cousin|teenager|pupil|student|sohn\w{0,2}|tochter|kind\w{0,2}"
    r"|bruder\w{0,2}|schwester|neffe\w?|nichte|enkel\w{0,4}"
    r"|сын\w{0,3}|доч\w{1,5}|брат\w{0,4}|сестр\w{0,4}|племянни\w{1,4}"
    r"|внук\w{0,3}|внучк\w{0,2}|ребен\w{2,4}|школьник\w{0,3}"
    r"|ابني|ابنتي|بنتي|ولدي|اخي|اخوي|اختي|حفيدي|طفل|ولد|بنت)"
)
_CLASS = (
    r"(?:(?:[4-9]|1[0-2])(?: ?(?:inci|nci|uncu|ncu|cu|ci))?|dorduncu"
    r"|besinci|altinci|yedinci|sekizinci|dokuzuncu"
    r"|onuncu|on ?birinci|on ?ikinci)"
)
_GOING = (
    r"(?:ogrencisiyim|ogrenciyim|ogrencisi(?= (?:bir )?(?:olarak|oldugum))"
    r"|okuyor(?:um|uz)|okuyom|okuyoruz|gidiyor(?:um|uz)"
    r"|gidiyom|geciyor(?:um|uz)|geciyom|gecic\w{1,4}|gectim|gececeg\w{1,3}"
    r"|talebesiyim|basladim|baslayacag\w{1,3})"
)
_TO_BE = (
    r"(?:olaca[gk]\w{1,3}|olucam|olcam|olcaz|oluyor(?:um|uz)|oluyom"
    r"|girece\w{1,5}|giricem|gircem|giriyor(?:um)?|giriyom"
    r"|basacag\w{1,3}|basicam|bascam|basiyor(?:um)?|dolduracag\w{1,3}"
    r"|doldurac\w{1,4}|dolduric\w{1,3}|bitirece\w{1,5})"
)
_BEFORE = r"(?:[a-z]{2,8}|\d{1,3}|bir(?: kac| iki)?) ?(?:bucuk )?(?:gun|ay|hafta)?\w{0,4}"
_IM = (
    r"(?:im|i am|i m|iam)(?: only| just| actually| still| literally| like| basically| currently| really| barely| even"
    r"| about| nearly| almost)?"
)


def _any(*ways: str) -> re.Pattern[str]:
    """A pattern of whole words: one of these between blanks."""
    return re.compile(f" (?:{'|'.join(ways)}) ")


_DECLARED = _any(
    rf"{_MINOR} ?yas(?:indayim|indaym|indaim|imdayim|indeyim|dayim|indayiz"
    r"|inda biriyim|inda bir (?:genc|cocuk|kiz|ogrenci)\w{0,3}im"
    r"|(?:ina|ima|imi|indan) (?:yeni |daha yeni |gecen \w{2,8} )?(?:girdim"
    r"|bastim|doldurdum|bitirdim|gun aldim))",
    rf"(?:ben |benim |ki |bende |hem )yas(?:im)?(?: daha| henuz| su an)? {_MINOR}(?: yim)?",
    rf"y?a?sim(?: daha| henuz| su an| sadece| zaten)? {_MINOR}(?: yim)?"
    rf"|yasi?m {_MINOR}|yas {_TEEN}(?: bucuk)?|yasimi? (?:sor\w{{2,8}} )?{_TEEN}"
    rf"|{_TEEN} ?(?:den|dan) gun aldim|{_TEEN} yas (?:grubunda|kategori"
    rf"|takim)\w{{0,5}}|{_TEEN} olmam sorun\w{{0,3}}|(?:seneye|yazin"
    r"|haftaya|aya|yakinda) resit (?:oluyorum|olac\w{2,4}|oluyom)",
    rf"{_MINOR} yas(?:im|liyim|inda ?yim)",
    r"1[0-7] ?(?:yim|im|um|yum|sindeyim|indeyim|undeyim)(?! (?:aylik|gun|tl|lira))",
    rf"{_TEEN} ?(?:yim|im|um|yum)",
    rf"ben(?:im)?(?: de| ise| daha| henuz| sadece| su an| zaten| hala)? {_TEEN}(?! {_UNITS})(?! (?:de"
    r"|da|den|dan|inci|nci|e|a|ye) )",
    rf"{_TEEN} ?(?:ye|e|una|ime|ine|uma|ma) (?:yeni |daha yeni |daha )?(?:girdim|bastim|{_TO_BE})",
    rf"{_TEEN} ?(?:yi|i|u|mi|imi|umu|sini) (?:yeni |daha yeni )?(?:doldurdum|bitirdim)",
    rf"{_TEEN} (?:inci |nci |uncu )?(?:dogum gunum|yas gunum|yasgunum)",
    rf"(?:ben|bende|ben de) {_TEEN} ?(?:yas\w{{0,8}})",
    r"(?:1[5-7]|on ?(?:bes|alti|yedi)) bucuk ?(?:yas\w{0,9}|um|luk|lik)?",
    r"yasim(?:iz)? (?:tutmu?\w{1,8}|yetm\w{1,8}|kucuk\w{0,5}|yeterli degil"
    r"|uygun degil|dolmadi|gelmedi|musait degil"
    r"|18 (?:degil|den kucuk|in altinda|alti|olmadi\w{0,5}))",
    r"yas (?:tutmu?\w{1,6}|yetmi\w{1,6}|yetmedi\w{0,5}|sinirina takil\w{1,8}|engeline takil\w{1,8})",
    r"yasimdan (?:dolayi|oturu)|yasim(?:i)? buyuk (?:gosterdim|yazdim|girdim)",
    r"resit ol(?:cam|ucam|acagim|acam|uyorum|urum)",
    r"yasim (?:[^ ]+ ){0,3}(?:tut(?:uyo|ucak|acak|cak)r?|dola?cak)",
    rf"{_MINOR} ?(?:yi|i|u|yu)? doldur(?:uyorum|uyom|ucam|acagim|dum)",
    r"18 ?(?:e|i|ime|imi|ine|yasima|yasimi|yasini)? (?:doldur(?:u?cam|acagim|acam|uyorum)|bas(?:i?cam|acagim|iyorum)"
    r"|gir(?:i?cem|ecegim|iyorum))",
    r"(?:doldur(?:u?cam|acagim|acam|uyorum)|bas(?:i?cam|acagim)|gir(?:i?cem|ecegim)) 18(?: ?(?:i|e|ime|imi))?",
    r"ortaokul mezunuyum|ortaokulu (?:yeni )?bitirdim",
    rf"am {_MINOR} (?:and|btw|yo|yrs|years? old)|i (?:have |only )?turned {_MINOR}(?! {_UNITS})",
    r"then (?:im|i am|ill be) 18|(?:months?|weeks?|days?) (?:till|til|until|to|before) (?:im |i am |i turn |my )?18",
    r"(?:im|i am|am) (?:a |in )?(?:sixth form(?:er)?|ss[123]|form [1-5]|year (?:[7-9]|1[0-2])|grade (?:[5-9]|1[01]))",
    r"resit (?:degilim|olmadim|olmadigim\w{0,3}|olmama\w{0,4}|degiliz|olunca|olmamisim|sayilmiyo\w{0,3})",
    r"18 ?(?:den kucugum|yasindan kucugum|yas alti ?yim|altiyim|yasin altindayim|altindayim|alti biriyim)",
    r"18 ?(?:e|i|im|ime|yasima|yasimi|yasinda|yasini|yas|ini|imi)? ?(?:daha "
    r"|henuz )?(?:olmadim|degilim|dolmadim|doldurmadim|basmadim"
    r"|girmedim|bitirmedim|olmadi daha|olmadigim\w{0,3}|olmamisim|yokum"
    r"|yok daha|doldurmama|olmadan|olunca (?:acar|gel|cek|al)\w{0,6})",
    rf"(?:daha|henuz) 18 (?:degil|olmad\w{{1,4}}|yok)|(?:18|resit) olmama {_BEFORE}",
    r"18 ?(?:e|ime|im|yasima|yasina|yas)?(?: girmeme| basmama| olmama"
    rf"| dolmasina| doldurmama)? {_BEFORE} ?(?:um|im)? ?(?:var|kaldi"
    r"|kalmis|kala)",
    rf"18 ?(?:e|ime|i|imi|im|yasima|yasina|yasimi|yasini|yasinda)? {_TO_BE}",
    r"(?:lise|ortaokul|orta okul|ilkokul)(?: [1-4](?: ?(?:e|a|ye|ya"
    r"|de|da|te))?| bir| iki| uc| son| hazirlik| birinci| ikinci| ucuncu)?(?: sinif)?(?:a"
    rf"|ta|e|de|ya|i)? ?{_GOING}",
    rf"(?:liseye|ortaokula|lisede|ortaokulda|lise|ortaokul)(?: daha| yeni| hala)? {_GOING}",
    r"lise (?:[1-4]|bir|iki|uc|dort|son|hazirlik|birinci|ikinci|ucuncu) ?(?:yim"
    r"|deyim|dayim|teyim|tayim|uncuyum|im|siniftayim|siniftim|sinifim)",
    r"lise(?:yi)? (?:daha )?(?:bitmedi|dondurdum|biraktim|terk|bitirmedim"
    r"|bitince|bitirince|bitmeden)|liseliyi[mz]|ortaokulluyu[mz]|lisedeyi[mz]"
    r"|ortaokuldayi[mz]|lise cagindayim",
    rf"{_CLASS} ?sinif(?:a|ta|i|in)? ?{_GOING}",
    rf"(?:su an|simdi|ben|bende|daha|henuz|bu sene) {_CLASS} ?sinif",
    rf"yas(?:im|ima|imi|imiz)?(?: [^ ]{{1,12}}){{0,3}}? {_TEEN}(?! {_UNITS})(?! (?:yas|seviye|yaz|gibi))",
    rf"{_CLASS} ?sinif(?:tayi[mz]|dayi[mz]|im|iz|talebesiyim)",
    r"(?:[5-9]|1[0-2]) ?(?:e|a|ye|ya) (?:gidiyom|gidiyorum|geciyom|geciyorum"
    r"|gectim|gecicem|basladim)(?! (?:kupon|oran|bahis))",
    r"(?:[5-9]|1[0-2]) ?[a-f] (?:sinifi\w{0,4}|den|dan|ogrencisiyim|subesi\w{0,4})",
    r"ben (?:daha |henuz |sadece )(?:cocugum|kucugum|ogrenciyim lise)"
    r"|(?:daha|henuz) (?:resit|18) (?:degil|olmad)\w{0,6}",
    r"kimligim (?:yok daha|daha yok|cocuk)|cocuk kimligi\w{0,2} var",
    rf"{_IM} {_MINOR}(?! {_UNITS})|{_TEEN} here|am {_TEEN} years? old"
    rf"|is {_TEEN} (?:years )?(?:old )?(?:allowed|ok|okay|enough)",
    rf"{_IM} (?:1[0-7]) ?(?:yo|yrs?|y o|m|f)?(?! {_UNITS})",
    rf"my (?:real |actual )?age is(?: only)? {_MINOR}|(?:i |ive |i have "
    rf"|i just |just |only )turned {_TEEN}|as an? {_MINOR} (?:year old"
    rf"|yo)|aged {_TEEN} myself",
    rf"(?:turn|turning|be) {_TEEN} (?:next|in|soon|on|this|tomorrow|last)",
    rf"{_MINOR} ?(?:yo|y o|yrs? old|years? old) (?:boy|girl|student|here"
    r"|and i|kid here|guy|lad here|so i|but i)",
    rf"(?:{_IM}|honestly|technically|legally|am)(?: an?)?(?: legally"
    r"| technically)? (?:under ?18|underage|under age|minor|a minor"
    r"|an underage|not 18|not yet 18|below 18|not of age"
    r"|too young|a kid|just a kid|a child|a schoolkid|a teen|a teenager"
    r"|not old enough|not even 18|not an adult)",
    r"(?:i havent|i have not|havent|i aint|im not|i am not) (?:even )?(?:turned "
    r"|reached |hit )?18(?: yet)?|not 18 (?:yet|till|until)|my age is not enough"
    r"|(?:until|till|til|before|b4|when|once) (?:im|i turn|i am|i hit|i get to|i reach) 18",
    r"my age is not enough|(?:turning|turn|ill be|i will be|gonna be"
    r"|im|be|hit) 18 (?:next|in|soon|on|this|tomorrow|until|till|yet)(?! (?:minutes"
    r"|hours|days left to))",
    r"18 in (?:january|february|march|april|may|june|july|august|september"
    r"|october|november|december|a (?:month|week|few)|\w{1,6} (?:months?"
    r"|weeks?|days?))",
    rf"{_IM}(?: an?)?(?: in)? (?:the )?(?:[5-9]|1[0-2])th grade\w{{0,2}}"
    r"|in the (?:[5-9]|1[0-2])th grade|in (?:grade|form|class) (?:[5-9]"
    r"|1[0-2])",
    rf"(?:{_IM}|i go to|still|only|just)(?: in| at)? (?:year|yr|grade) (?:[5-9]"
    r"|1[0-3])|in (?:year|yr) (?:[7-9]|1[0-3])",
    rf"{_IM} (?:still )?(?:an?|in|at) (?:high ?school|middle ?school"
    r"|secondary school|school|sixth form|sophomore|freshman)(?: student)?",
    r"(?:still|only|just) (?:in|at) (?:high ?school|school|secondary"
    r"|sixth form|college doing gcses?)|my gcses?|doing (?:my )?gcses?",
    r"(?:ich )?bin(?: erst| noch| gerade| grad| ja| doch| zwar| aber"
    rf"| auch| eigentlich)* {_MINOR}(?! {_UNITS})|(?:ich bin|bin) (?:ja "
    r"|noch |erst )?minderjahrig|noch nicht (?:18|volljahrig|achtzehn)"
    r"|(?:werde|wird) (?:ich )?(?:erst )?(?:im |in )?(?:\w{2,9} )?(?:erst )?(?:18"
    r"|achtzehn)|ich (?:gehe|geh) (?:noch )?(?:in die|zur) (?:(?:[5-9]"
    r"|1[0-3])(?:te)? klasse|schule)"
    r"|bin (?:noch )?(?:in der )?(?:[5-9]|1[0-3])(?:te|ten)? klasse|bin (?:noch )?schuler(?:in)?",
    rf"мне(?: всего| только| еще| сеичас| пока| вообще то)* {_MINOR}(?! {_UNITS})(?! лет не)"
    r"|я(?: еще)? несовершеннолетн\w{1,4}|мне(?: еще)? (?:нет|не исполнилось) 18"
    r"|до 18(?: мне)?(?: еще)? (?:\w{2,8} )?(?:месяц\w{0,2}|остал\w{2,4})"
    r"|я (?:учусь |хожу )?в (?:[5-9]|1[01])(?: м| ом)? класс\w|я школьни\w{1,3}",
    rf"(?:انا )?عمري(?: لسه| لسا| بس| فقط| الان)? {_MINOR}|انا قاصر|(?:عمري )?(?:تحت"
    r"|اقل من|دون)(?: ال| سن)? ?18|(?:ما|لم|لسه ما) (?:كملت|بلغت|صار عمري"
    r"|وصلت|اكمل)(?: ال)? ?18"
    r"|انا (?:ب|في )ال?صف (?:ال)?\w{2,8}|(?:انا )?(?:طالب|طالبة) (?:ثانوي|اعدادي|مدرسة)",
)
# An agent writes the log of a call: "müşteri 16 yaşında olduğunu söyledi"
_CALLER = (
    r"(?:musteri\w{0,5}|arayan|arayan kisi\w{0,3}|arayanin|kullanici\w{0,4}|uye|caller|customer|client|player"
    r"|kendisi\w{0,3})"
)
_DECLARED_OF_CALLER = _any(
    rf"{_CALLER}(?: [^ ]{{1,30}}){{0,6}}? {_MINOR} (?:yasinda(?:yim|ymis"
    r"| oldug\w{1,6})?|yasini (?:yeni )?doldur\w{2,8}|years? old)",
    rf"{_CALLER}(?: [^ ]{{1,30}}){{0,8}}? (?:yasinin (?:tutmad|kucuk"
    r"|yetmed|18 den)\w{0,8}|resit olmadig\w{1,5}|18 (?:yasindan kucuk"
    r"|olmadig\w{1,5}|yasini doldurmad\w{1,6})|lise ogrencisi\w{0,3}"
    rf"|{_CLASS} ?sinif\w{{0,4}} (?:ogrencisi|oldug|gittig|okudug)\w{{0,6}}"
    rf"|(?:is|being) (?:under ?18|underage|a minor|only {_MINOR}))",
    r"(?:caller|customer|he|she) (?:says|said|admits|admitted|claims"
    r"|states|stated|gave)(?: [^ ]{1,30}){0,5}? (?:is|are|was|age"
    rf"|of) (?:only |just )?{_MINOR}(?! {_UNITS})",
    rf"(?:soyledi|dedi|diyor|itiraf etti|belirtti)(?: [^ ]{{1,30}}){{0,2}}? {_MINOR} yasinda(?:ymis"
    rf"| oldug\w{{1,6}})|{_MINOR} yasinda oldug\w{{1,5}} (?:soyle|belirt"
    r"|itiraf|ogren|anlas)\w{1,6}",
)
_EIGHTEEN = re.compile(r" (?:on ?sekiz|eighteen|achtzehn)(?= |\w)")
_ADULT = _any(
    r"(?:universite|fakulte|yuksek lisans|hukuk|tip|muhendislik|ogretmeni"
    r"|ogretmenim|mezunuyum|docent|avukat)\w{0,6}",
    rf"{_OLDER} ?yas(?:indayim|imdayim|inda ?yim|inda adam\w{{0,3}}|inda kadin\w{{0,3}}"
    r"|ima geldim|inda(?: bir)? (?:emekli|adam|kadin|insan|esnaf)\w{0,3})",
    r"18 yasini (?:doldurdum|bitirdim)|18 ?(?:i|imi|mi) (?:gecen \w{2,8} |yeni )?(?:doldurdum|bitirdim|gectim)",
    rf"(?:im|i am)(?: now)? {_OLDER}(?! {_UNITS})",
    rf"yasim {_OLDER}(?! (?:den|degil|in|olmadi|alti))|resitim|resit oldum|koca adamim",
)
_YEAR = r"((?:19|20)\d\d)"
_BORN = _any(
    rf"{_YEAR} ?(?:(?:ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos"
    r"|eylul|ekim|kasim|aralik)(?:luyum|liyim)|dogumluyu[mz]|dogumlu biriyim"
    r"|luyu[mz]|liyi[mz]|dogumlu ?yum|lu ?yum|li ?yim|doguml[uı](?:yum"
    r"|m))",
    rf"(?:ben |bende )(?:\w{{2,8}} )?{_YEAR} ?(?:lu|li|dogumlu)",
    rf"(?:benim )?dogum (?:yili?m|tarihi?m|gunu?m)(?: [a-z0-9]{{1,9}}){{0,4}}? {_YEAR}",
    rf"{_YEAR} ?(?:de|da|te|ta|yilinda|senesinde) dog(?:dum|musum|muşum)",
    rf"(?:i was |im |i am |was |me )?born (?:in |on )?(?:[a-z0-9]{{1,9}} ){{0,3}}{_YEAR}"
    rf"|(?:my )?(?:dob|date of birth|birthday|birth year)(?: [a-z0-9]{{1,9}}){{0,4}}? {_YEAR}",
    rf"(?:ich bin |bin )?(?:jahrgang )?{_YEAR} geboren|(?:bin )?jahrgang {_YEAR}"
    rf"|я родил\w{{2,3}} в {_YEAR}|(?:я )?{_YEAR} (?:года|г) рождения"
    rf"|(?:انا )?(?:مواليد|من مواليد|ولدت)(?: سنة| عام| في)? {_YEAR}",
)
_SHORT_BORN = re.compile(r" (0[0-9]|1[0-9]) ?(?:luyum|liyum|liyim|lu ?yum|dogumluyum) ")
_YEARS_OLD = (
    r"(?:yasinda|yasindaki|yas|yasini|yaslarinda|yasina|yasindayken|year old|years old|yr old|yrs old|y o|yo|jahre"
    r"|jahrig\w{0,2}|лет|года|летн\w{2,4}|سنة|سنين)"
)
_SOME = r"(?: [^ ]{1,30}){0,6}?"
_ABOUT = (
    _any(rf"{_MINOR} ?{_YEARS_OLD}{_SOME} {_RELATION}"),
    _any(
        rf"{_RELATION}{_SOME} (?:only |just |daha |henuz |erst |еще |عمره "
        rf"|عمرها )?{_MINOR} ?(?:{_YEARS_OLD}|una girdi|ine girdi|unda|inde"
        r"|sinda)"
    ),
    _any(
        rf"{_RELATION}(?: is| ist| was| hes| shes| turned| aged| age| who is"
        r"| whos| ему| еи| только| всего| daha| henuz){1,2} (?:only |just "
        rf"|erst |barely )?{_MINOR}(?! {_UNITS})"
    ),
    _any(
        rf"{_RELATION} {_TEEN}(?! {_UNITS})",
        rf"{_RELATION}(?: عمره| عمرها) {_MINOR}",
        rf"{_TEEN} ?(?:luk|lik) {_RELATION}",
        r"(?:hes|shes|he is|she is|er ist|sie ist|ему|еи|عمره|عمرها)(?: only"
        rf"| just| barely| erst| всего| только)? {_MINOR}(?! {_UNITS})",
    ),
    _any(
        r"(?:ilkokul|ortaokul|lise)\w{0,4}(?: [1-4]| bir| iki| uc| son)? (?:sinif\w{0,4} )?(?:giden "
        rf"|okuyan |ogrencisi |talebesi |cagindaki )?{_RELATION}"
    ),
    _any(
        rf"{_RELATION}{_SOME} (?:resit degil\w{{0,3}}|18 (?:yasindan kucuk"
        r"|alti|olmadi)\w{0,3}|under ?18|under ?age|a minor|minderjahrig"
        r"|несовершеннолетн\w{1,4}|قاصر)"
    ),
    _any(
        rf"{_RELATION}{_SOME} (?:lise|ortaokul|ilkokul)\w{{0,4}}(?: [1-4]"
        r"| bir| iki| uc| son)? (?:okuyo\w{1,3}|gidiyo\w{1,3}|ogrencisi"
        r"|talebesi)",
        rf"{_RELATION}{_SOME} {_CLASS} ?sinif\w{{0,4}}",
    ),
    _any(
        r"(?:lise|ortaokul|ilkokul)\w{0,3}(?: [^ ]{1,30}){0,8}? ogrenci(?:miz|m|leri|lerimiz|lerim)",
        rf"{_CLASS} ?sinif\w{{0,4}}(?: [^ ]{{1,30}}){{0,3}}? {_RELATION}",
    ),
    _any(
        rf"{_RELATION}{_SOME} (?:in |geht in die |is in |в )(?:year |grade "
        r"|the )?(?:[4-9]|1[0-2])(?:th|te|ten|м|ом)? ?(?:klasse|grade|класс\w)?"
    ),
    _any(
        r"(?:schoolboy|schoolgirl|school kid|school pupil|underage (?:kid"
        rf"|boy|girl|player|user|person)|minderjahrige\w? {_RELATION})"
    ),
)
_NOT_PLAYING = re.compile(
    r" (?:oynamiyo\w{0,3}|oynamaz|oynadigi yok|alakasi yok|ilgisi yok"
    r"|hic oynama\w{0,6}|oyuncak\w{0,5}|gibi (?:davran|konus|yazi)\w{1,12}"
    r"|spielt nicht|doesnt (?:play|bet|gamble)|does not (?:play|bet"
    r"|gamble)|never plays|не игра\w{1,4}|не лезет) "
)
_PLAYING = re.compile(
    r" (?:oyn|oynu|uye |uye\w|kumar|bahis|kupon|kayit|kullan|harca|yatir"
    r"|kaybet|engel|girmis|girdi|giriyo|girebil|izin ver|kimlig"
    r"|telefonum|telefonun|kartim|kart |hesap|hesab|kapatin|slot|rulet"
    r"|zeplin|aviator|bonanza|casino|siten|sizde|sizin site|sifre"
    r"|play|gambl|bet|account|card|using|uses|deposit|register|spin"
    r"|spent|tapp|game|login|lock|money|got into|been on"
    r"|signed up|block|spiel|zock|konto|verlor|geld|игра|ставк|став"
    r"|счет|аккаунт|деньг|проигр|рулет|слот|казино|карт|списан|\w{0,3}لعب"
    r"|حساب|\w{0,2}حساب|مصاري|\w{0,2}بطاق)"
)
# None of these says it, together they do: "abimin kimliğiyle girdim, 16, annem duyarsa biterim"
_SIGNS = (
    (
        2.0,
        _any(
            r"(?:ben|bende|hem|daha|ama|henuz|im|i am|only|aber|erst|a|yani"
            rf"|cunku|{_RELATION}) {_TEEN}(?! {_UNITS})(?! (?:inci|nci|yas|e"
            r"|a))",
            rf"{_TEEN} ?yim",
        ),
    ),
    (
        1.5,
        _any(
            r"resit|ehliyet yasi|yasim(?:i|a|iz)?|(?:daha |henuz )18|18 (?:olunca"
            r"|degil\w{0,3}|yok)|18ime|underage|minor|under 18|not 18|volljahrig"
            r"|minderjahrig|قاصر|несовершеннолетн\w{1,4}"
        ),
    ),
    (
        1.0,
        _any(
            r"(?:abim|ablam|babam|annem|dedem|babaannem|anneannem|nenem|ninem"
            r"|dayim|amcam|teyzem|halam|kuzenim|enistem)(?:in|un|gilin)? (?:\w{2,9} )?(?:adin"
            r"|hesab|hesap|kimlig|kimlik|kart|tc|telefon|bilgi|sifre|iban|numara)\w{0,8}",
            r"(?:my )?(?:brothers?|sisters?|dads?|mums?|moms?|cousins?|uncles?"
            r"|grandads?|grandmas?|nans?) (?:\w{2,9} )?(?:account|acc|login"
            r"|card|id|name|phone|licence|tablet)",
            r"(?:konto|karte|ausweis) (?:von|vom) (?:meine\w? )?(?:bruder|vater"
            r"|papa|mutter|mama|schwester|cousin)\w?",
            r"(?:حساب|بطاقة) (?:ابوي|ابي|امي|اخوي|اخي|اختي|خالي|عمي)",
            r"(?:аккаунт\w?|карт\w{1,2}) (?:отца|мамы|папы|брата|сестры)",
        ),
    ),
    (
        1.0,
        _any(
            r"(?:annem|babam|evdekiler|ailem|hocam|mum|mom|dad|parents|mama"
            r"|papa) (?:\w{2,10} ){0,2}?(?:duyar\w{0,4}|ogrenir\w{0,4}|gorur\w{0,4}"
            r"|anlar\w{0,4}|kizar\w{0,3}|bilmiyo\w{0,3}|oldurur|doesnt know"
            r"|dont know|finds? out|will kill|cant know|izin verdi)",
            r"мама (?:узнает|не знает)",
            r"قبل ما (?:تعرف|يعرف) \w{2,8}",
        ),
    ),
    (
        1.0,
        _any(
            r"(?:okul\w{0,5}|ders(?:im|ten|te|lerim|ler)|dershane\w{0,4}|odev\w{0,4}"
            r"|teneffus\w{0,3}|karne\w{0,3}|lgs|ygs|yks|sinif arkadas\w{0,8}"
            r"|ogretmenim\w{0,3}|mudur yardimcisi|harclig\w{0,6}|school|homework"
            r"|classmates?|gcses?|exams?|teacher|schule|klasse|lehrer|школ\w{1,3}"
            r"|класс\w{0,3}|مدرسة|مدرستي|الصف|امتحان)"
        ),
    ),
    (
        -2.0,
        _any(
            r"(?:oglum\w{0,3}|kizim\w{0,3}|cocug\w{1,8}|torunum\w{0,3}|yegenim\w{0,3}"
            r"|kardesim\w{0,3}|ogrencim\w{0,3}|esim\w{0,4}|maas\w{0,5}|emekli\w{0,5}"
            r"|universite\w{0,4}|calistigim|my (?:son|daughter|kid|kids|child"
            r"|wife|husband|grandson|nephew|niece|brother is|sister is)|son fils"
            r"|mein sohn|meine tochter|ابني|ابنتي)",
            rf"{_OLDER} yas\w{{0,8}}",
            r"(?:seviye|level|lvl|masa|sira|kupon|mac)\w{0,3} 1[0-7]",
        ),
    ),
)
_SURE, _PERHAPS = 3.0, 2.5
_HINT = re.compile(
    r" (?:yas|resit|lise|ortaokul|ilkokul|orta okul|sinif|dogum|dogdu"
    r"|geboren|born|jahrgang|1[0-8]|[4-9]\w{0,2} |minor|under|grade"
    r"|turn|sekiz|dokuz|on "
    r"|ten |eleven|twelve|onalti|onyedi|onbes|ondort|onuc|мне|родил"
    r"|несовер|عمر|قاصر|minderj|school|schul|klasse|класс|year |yr "
    r"|kid |child|teen"
    r"|(?:19|20)\d\d|not 18|my age|0[0-9]|too young|cocugum|kucugum"
    r"|daha |henuz |volljahrig|dob |مواليد|الصف|صف |лет|school|pupil"
    r"|gcse|liseli|\w{2,9}inci |dokuzuncu|onuncu)|teen|nzehn"
)
_AROUND = 110  # characters
_EAST_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def _quick(*patterns: re.Pattern[str]) -> Any:
    """One automaton that finds whatever any of these finds, and a little more: a quick look before them all."""
    wider = "|".join(_without_looks(pattern.pattern) for pattern in patterns)
    return re2.compile(wider.replace(r"\w", "[^ ]").replace(r"\d", r"\pN"), _options())


def _options() -> Any:
    chosen = re2.Options()
    chosen.max_mem = 64 << 20
    return chosen


def _without_looks(pattern: str) -> str:
    """The pattern without its looks ahead, which re2 does not know."""
    while (start := min((at for look in ("(?!", "(?=") if (at := pattern.find(look)) >= 0), default=-1)) >= 0:
        depth, end = 1, start + 1
        while depth:
            depth += (pattern[end] == "(") - (pattern[end] == ")")
            end += 1
        pattern = pattern[:start] + pattern[end:]
    return pattern


_MAYBE = _quick(_SIGNS[0][1], _SIGNS[1][1], *_ABOUT, _DECLARED, _DECLARED_OF_CALLER, _BORN, _SHORT_BORN)


@dataclass(frozen=True, slots=True)
class Age:
    """What a text says: the sender is a minor, somebody else is, or it cannot be told and a person should look."""

    sender: bool = False
    reported: bool = False
    unsure: bool = False
    reason: str = ""
    hints: float = 0.0  # signs of a minor that alone say too little


def _near_hints(plain: str) -> str:
    """The text around words that may have to do with age: the patterns cost too much to try everywhere."""
    pieces, end = [], 0
    for match in _HINT.finditer(plain):
        start = max(end, plain.rfind(" ", 0, max(0, match.start() - _AROUND)), 0)
        stop = plain.find(" ", match.end() + _AROUND) + 1 or len(plain)
        if stop > end:
            pieces += [" / " if start > end else "", plain[start:stop]]
            end = stop
    return "".join(pieces)


def _born(plain: str, year: int) -> list[int]:
    """The ages that years of birth give; in "09luyum" the century is missing."""
    years = [int(next(group for group in found.groups() if group)) for found in _BORN.finditer(plain)]
    years += [2000 + int(found[1]) for found in _SHORT_BORN.finditer(plain)]
    return [year - born for born in years]


def _hinted(plain: str) -> float:
    """How much in a text speaks for a sender who is a minor."""
    return sum(weight for weight, pattern in _SIGNS if pattern.search(plain))


def _born_adult(plain: str, year: int) -> bool:
    return any(ADULT < age < 100 for age in _born(plain, year))


def read(plain: str, year: int) -> Age:
    """The ages a text of `plain_words` declares; `year` is the one it was written in."""
    plain = _EIGHTEEN.sub(" 18", plain if plain.isascii() else plain.translate(_EAST_DIGITS))
    if not _MAYBE.search(plain.encode("utf-8", "replace")):
        return Age()
    plain = _near_hints(plain)
    about = next((found for pattern in _ABOUT if (found := pattern.search(plain))), None)
    reported = about is not None and _PLAYING.search(plain) is not None and not _NOT_PLAYING.search(plain)
    declared = _DECLARED.search(plain) or (None if about else _DECLARED_OF_CALLER.search(plain))
    if declared and (_ADULT.search(plain) or _born_adult(plain, year)):
        return Age(reported=reported, unsure=True, reason="names two ages, one of them under 18")
    if declared:
        return Age(sender=True, reported=reported, reason=f"sender declares: “{declared[0].strip()}”")
    if ages := _born(plain, year):
        age = min(ages)
        if max(ages) > ADULT > age:
            return Age(reported=reported, unsure=True, reason="names two years of birth")
        if 0 < age < ADULT:
            return Age(sender=True, reported=reported, reason=f"born {age} years before the message")
        if age == ADULT:
            return Age(reported=reported, unsure=True, reason="turns 18 this year")
    hints = 0.0 if about else _hinted(plain)
    if hints >= _PERHAPS:
        return Age(hints >= _SURE, unsure=hints < _SURE, reason="speaks like a minor: several signs of age")
    reason = f"about a minor: “{about[0].strip()}”" if about and reported else ""
    return Age(reported=reported, reason=reason, hints=hints)
