"""How people say that they are under 18, that somebody else is, or that they are not: the patterns of `router.age`.

They run on `age_numbers.of_people`: a bare `17` may be an age, `17:yim` has an ending, `17~` is somebody else's.
All are google-re2 patterns, so their time is linear in the text.
"""

from __future__ import annotations

from typing import Any

import re2

N = "(?:[89]|1[0-7])"  # an age somebody tells
T = "(?:1[0-7])"
TEEN = "(?:1[3-7])"
_GROWN = "(?:1[89]|[2-9][0-9])"
_TR_MONTH = "(?:ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos|eylul|ekim|kasim|arali[kg])"
EN_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    "|dec(?:ember)?)"
)
SOON = rf"(?:next|in|soon|on|this|tomorrow|until|till|yet|for another|before|come|{EN_MONTH}|a week|at christmas)"
_I = r"[mz]"  # how verbs of the first person end in Turkish
_FEW = r"(?: \S+){0,2}?"
_SOME = r"(?: \S+){0,5}?"
_TR_FILL = (
    r"(?: (?:daha|henuz|sadece|su|an|zaten|hala|hele|bi|yani|simdi|tam|ise|de|da|anca\S*|gercek\S*"
    r"|aslinda|kac|sor\S*"
    r"|malum|belli|ama|bu|sene|falan|desem|soyl\S*|itiraf|edeyim|resmi|olarak|var|yok|bile|neyse|tamam"
    r"|evet|abi|hocam"
    r"|kanka|sadec|dah)){0,4}"
)
_GOING = (
    rf"(?:ogrenci\S*[iu]{_I}|talebesiy\S*|okuyo\S*{_I}|okuma?y?[ao]m|gidiyo\S*{_I}|gidiyrm|geciyo\S*{_I}"
    rf"|gecic\S*{_I}|gececeg\S*{_I}|gectim|gectik|basladim|basladik|baslic\S*{_I}|baslayac\S*{_I}|baslayac\S*"
    r"|ogrencisi olarak|ogrencisi oldugum\S*|ogrencisiyken|ogrencisim|ogrencisiyim\S*|bitirdim|bitirdik)"
)
CLASS = r"(?:[5-9]|1[0-2])(?::\S+)?"
_TO_BE = (
    rf"(?:ol(?:aca|uca|uyo|ca)\S*{_I}|olucam|olcam|gir(?:ece|ice|ce|iyo)\S*{_I}|bas(?:aca|ica|ca|iyo)\S*{_I}"
    rf"|doldur(?:aca|uca|ca|uyo)\S*{_I}|bitir(?:ece|ice|ce|iyo)\S*{_I}|tamamla\S*(?:ca|ce|yo)\S*{_I}"
    r"|ikmal ed\S+|doldurup gel\S*m|\S+ca[gk]\S*mdan|\S+ce[gk]\S*mden)"
)
_EN_FILL = (
    r"(?: (?:only|just|actually|still|literally|like|basically|currently|really|barely|even|about|nearly|almost"
    r"|honestly|technically|already|now|not even|not yet|quite|a|an|bit|well|turning|legit|lowkey|well"
    r"|also|obviously|prob\S*"
    r"|sadly|only|kinda|sort|of|in|fact|ok|tbh|over|one|rn|at|the|legally|officially|mere)){0,4}?"
)
_IM = rf"(?:im|i am|i m|iam|ima|we are|were both|i be|being){_EN_FILL}"
_GRADE = (
    r"(?:year (?:[7-9]|1[0-3])s?|(?:grade|class|kelas) (?:[3-9]|1[0-2])|form [1-6]|primary [4-8]|j?ss [1-3]"
    r"|(?:[3-9]|1[0-2])(?::(?:th|rd))? (?:grade|class|form)(?:ers?)?|(?:sixth|6|6:th) ?form(?:er)?"
    r"|(?:1:st|first|2:nd|second|2|3|third|3:rd|3:th|4:th) year (?:of |in |at )?(?:the )?(?:high|middle|secondary"
    r"|junior|grammar)(?: ?school)?)"
)
AT_SCHOOL = (
    rf"(?:{_GRADE}|high ?school|highschool|middle ?school|secondary(?: school)?|junior high|senior high|school"
    r"|boarding school)"
)
_KIN_TR = (
    r"(?:kardes\S{0,8}|oglu\S{0,6}|oglan\S{0,6}|kiz(?:im|i|imiz|imin|inin|lari|in|a)|cocu[gk]\S{0,9}|yegen\S{0,7}"
    r"|torun\S{0,7}|kuzen\S{0,6}|ogrenci(?:m|miz\S*|ler\S*|min|nin|sinin|sini)|velet\S{0,4}|ufakli\S+"
    r"|delikanli|bebe|evla[dt]\S{0,4}|genc|ergen|usak|uvey \S+)"
)
_KIN = (
    rf"(?:{_KIN_TR}|(?:grand|step|god)?(?:sons?|daughters?|child|children)|kids?|boys?|girls?|lads?|brothers?|bro"
    r"|sisters?|sis|nephews?|nieces?|cousins?|teenagers?|teens?|pupils?|students?|fella|younger one|little one"
    r"|youngest|eldest|oldest|sohn\S{0,2}|tochter|kind\S{0,2}|bruder\S{0,2}|schwester|neffe\S?|nichte|enkel\S{0,4}"
    r"|junge|сын\S{0,3}|доч\S{1,5}|брат\S{0,4}|сестр\S{0,4}|племянни\S{1,4}|внук\S{0,3}|внучк\S{0,2}|ребен\S{2,4}"
    r"|школьник\S{0,3}|мальчик\S?|девочк\S|ابني|ابنتي|بنتي|ولدي|اخي|اخوي|اخوي|اختي|حفيدي|طفل|ولد|بنت|ابن \S+|صاحبي)"
)
_AGED = (
    r"(?:yasinda\S*|yas|yasini|yaslarinda|yasina|years? old|years?|old|yo|y o|year|jahre|jahrig\S{0,2}"
    r"|лет|года|летн\S+"
    r"|سنة|سنين|عام\S*)"
)
_OLD = rf"{N}~?(?::\S+)? {_AGED}"
CALLER = (
    r"(?:musteri\S*|arayan\S*|kullanici\S*|uye\S{0,4}|caller|customer|client|player|user|kendisi\S*"
    r"|kisi\S*|he|she|anrufer\S*"
    r"|kunde|kundin|they)"
)
_SAID = (
    r"(?:soyl\S*|dedi|diyor|itiraf|belirt\S*|kabul|beyan|ifade|anlas\S*|ogren\S*|bildir\S*|aktar\S*|acikla\S*|yazdi"
    r"|paylas\S*|tespit|gorul\S*)"
)
SAYS = (
    r"(?:says?|said|admit\S*|claims?|claimed|states?|stated|gave|confirm\S*|confess\S*|told|tells|reveal\S*"
    r"|let slip|disclos\S*|mention\S*|explain\S*|acknowledg\S*|report\S*)"
)


def any_of(*ways: str) -> Any:
    """A pattern of whole words: one of these between blanks."""
    chosen = re2.Options()
    chosen.max_mem = 64 << 20
    return re2.compile(f" (?:{'|'.join(ways)}) ", chosen)


_TURKISH = (
    r"18(?::\S+)?(?: yas\S*)? (?:olana|doldurana|girene|basana) kadar(?: \S+)? \S+(?:mezsin|mazsin|aca[gk]\S*"
    r"|ece[gk]\S*|[aeiu]m)",
    r"(?:lise|ortaokul) (?:talebesi|ogrencisi)\S*(?: \S+){0,3}? (?:paras|liras|hakk|emeg|harclig)\S*",
    # ages
    rf"{N} yas\S*(?:yim|y[iu]z|iyz|yz|ym|daim|aym|liyim)\S{{0,3}}|{N} yasim(?:iz)?|{N} yas(?:inda)? biriyim"
    rf"|{N} yasinda (?:yim|bir (?:genc|cocuk|kiz|ogrenci|oyuncu|uye)\S*im)",
    rf"{N} yas(?:ina|ima|imi|indan|ini)(?: (?:yeni|daha|gecen \S+|bu \S+|dun|bugun)){{0,3}}"
    rf" (?:gir|bas|doldur|bitir|gun al|gec|tamamla)\S*{_I}",
    rf"{TEEN}:\S*(?:yim|yum|yimm|yizz?|dayim|deyim|indeyiz)|{TEEN}:[iu]m|{N}:l[iu]y[iu]m"
    rf"|{TEEN}:l[iu][kg]\S*[iu]m",
    rf"(?:ben|bende|daha|henuz|hem|sadece) {TEEN}(?::[iu]m)?(?: ya| abi| hocam| kanka)?",
    rf"{N}:(?:ye|e|a|ya|me|ma|ime|ine|ume|uma|una|une|ima|sine) (?:yeni |daha |yeni yeni |bu \S+ "
    r"|gecen \S+ )?(?:gir\S*[mzk]|bas(?:tim|tik|iyo\S*m|ica\S*m|aca\S*m|ca\S*m))",
    rf"{N}:(?:yi|i|u|imi|umu|unu|ini|sini|yu|mi) (?:yeni |daha |bu \S+ |gecen \S+ )?(?:doldur|bitir|devir)\S*[mzk]"
    rf"|{T}:\S*[dt][ae]n gun al\S*[mk]|{T} (?:yasindan |yastan )?gun al\S*m",
    rf"ben(?:im)?{_TR_FILL} {TEEN}(?::[iu]m)?|{TEEN} ben(?: ya| abi)?",
    rf"yas(?:im|imiz|imi)?{_TR_FILL} {TEEN}(?::\S+)?|yas(?:im|imiz){_TR_FILL} {N}|(?:ya)?sim{_TR_FILL} {TEEN}",
    r"1[4-7] bucuk(?: yas\S*)?|1[4-7] bucu[kg]\S*(?:um|yum)",
    rf"{T} yas (?:grubu|kategori|takim)\S*[dt][ae]y[iu]m|{T} olmam(?: bir)? sorun\S*"
    rf"|{T}(?: yasinda)? olmama ragmen",
    rf"{TEEN}(?::\S+)? (?:dogum gunum|yas gunum|yasgunum)(?:u|un|e|uydu|dur|den|u\S*)?|\S+[ae]n (?:bir "
    rf"|bi )?cocugum {N}(?: yas\S*)?",
    rf"ben {_SOME} ?{TEEN} yas(?:inda|im)?",
    # not old enough
    r"yas(?:im|imiz|imdan|imin)?(?: \S+){0,3}? (?:tut(?:mu|ma|mad|may|muy|muo)\S*|yet(?:mi|me|mez"
    r"|mey)\S*|yeterli degil\S*|uygun degil\S*"
    r"|dolma\S*|gelmedi\S*|musait degil\S*|elver\S*|el vermi\S*|18 (?:degil|alti|olmadi\S*)|18:\S+ (?:kucuk|alti\S*))",
    r"yas(?:im|imiz|imin)(?: daha| henuz| hala)? (?:kucuk\S*|eksik\S*|ufak)|yas sinirina takil\S+"
    r"|yas engeline takil\S+",
    r"yasim(?:i)? buyuk (?:goster|yaz|gir)\S*m|yasim(?: \S+){0,3} (?:tut(?:uyo|uca|aca|ca)|dola?ca)\S*",
    r"(?:\S+(?:acak|ecek|yacak|cek|cak)|yeterli|uygun|yasal|gerekli|gereken|o) yas(?:ta|da) degil(?:im|iz|dim)",
    r"(?:ehliyet\S*|surucu|direksiyon)(?: \S+){0,3}? (?:yas\S*(?: daha| henuz)? (?:gelme|yetm|tutm|dolma"
    r"|degil|yetmi|yok)\S*"
    r"|(?:alamiy|yazilamiy|yazilamam|alamam)\S*(?: \S+){0,1} yas\S*)"
    r"|oy(?: \S+)? kullan\S*(?: \S+)? yas(?:im\S*|ta|\S*(?: \S+)? (?:gelme|yetm|degil)\S*)",
    rf"{N}~ yasindaki (?:bi|bir) (?:cocu[gk]|genc|ogrenci)\S* (?:\S+ )?(?:paras|hakk|emeg)\S*"
    rf"|{TEEN} yas(?:indan)? [#0-9]+ ay\S*m|benim gibi {N}~? yas\S*",
    # 18 and of age, not yet
    r"resit (?:degil(?:im|iz)\S*|ol(?:madim|madik|mamisim|madigim\S*|unca|uca\S*m|ca[mz]|aca\S*m\S*"
    r"|uyo\S*m|acam|urum"
    r"|mayan biriyim|amadim)|olmama(?: \S+){0,3} (?:var|kaldi|kala|gun|ay|hafta|yil|sene)\S*|sayilm\S*|degilim\S*)"
    r"|(?:resitlig|ergenlig)im\S*(?: \S+){0,3} (?:var|kaldi|kala)|ergin degilim",
    r"(?:seneye|yazin|haftaya|aya|yakinda|baharda|sonbaharda|kisin) (?:resit|18(?::\S+)?) ?(?:ol\S*[mz]|yas\S*)?",
    r"18(?::\S+)?(?: yas\S*)? (?:kucugum|kucuguz|altiyim|altindayim|altiyiz|altindayiz|alti biriyim)"
    r"|18 (?:yas )?alti ?(?:yim|biriyim)|18 yasin altinda(?:yim|yiz)",
    r"18(?::\S+)?(?: yas\S*)?(?: daha| henuz| hala| bile)?"
    r" (?:olmadi[mk]|degil(?:im|iz)|dolmadi\S*|doldurmadi[mk]\S*|doldurmamis\S*m|basmadi[mk]"
    r"|girmedi[mk]|bitirmedi[mk]"
    r"|tamamlamadi[mk]|olmadigim\S*|doldurmadigim\S*|olmamisim|yokum|yok daha|doldurmama(?: \S+){1,3}|olama\S*m)",
    r"(?:daha|henuz) (?:resit|18(?::\S+)?)(?: yas\S*)? (?:degil|olma|dolma|yok|basma|doldurma|girme)\S*",
    rf"18(?::\S+)?(?: yas\S*)?(?: \S+){{0,2}}? {_TO_BE}|(?:olaca|olu?ca|doldur\S?ca|doldura|basaca"
    r"|girece|giric|dolduruyo)\S*m 18(?::\S+)?",
    r"(?:18:\S+|18 yas\S*|18)(?: girmeme| basmama| olmama| dolmasina| doldurmama| dolmama)?(?: tam"
    r"| daha| sadece)?(?: \S+){1,3}"
    r" ?(?:gun|ay|hafta|sene|yil|aycik)\S*(?: \S+)?(?: var| kaldi| kalmis| kala| eksi\S+)|18(?::\S+"
    r"|e)? (?:ay|gun|hafta)\S* (?:var|kaldi)",
    rf"(?:{_TR_MONTH}[dt]a|(?:gun|ay|hafta|sene|yil)\S* (?:sonra|icinde)|(?:gelecek|onumuzdeki) \S+"
    r"|seneye|yazin|yakinda) 18(?::\S+)?(?: yas\S*)?",
    r"18:(?:im|ime|ine)(?: \S+){0,2} (?:var|kaldi|kala)",
    # school
    r"(?:lise\S*|(?:orta|ilk) ?okul\S*|okul|mektep\S*|kolej\S*|hazirlik"
    r"|imam hatip\S*)(?: (?:[1-4](?::\S+)?|bir|son|hazirlik|sinif\S*|daha|yeni"
    rf"|hala|bu|sene|devam|bolumu\S*|hala)){{0,4}} {_GOING}",
    r"(?:lise|lisesi|ortaokul|orta|meslek|anadolu)(?: (?:[1-4](?::\S+)?|bir\S*|son|hazirlik))?(?: sinif)? ?"
    r"(?:[1-4]:\S*(?:yim|yum|im|um|y[iu]z)|bir(?:deyim|im)|son(?:dayim|um|dayiz|uz)"
    r"|hazirli[kg]\S*(?:im|yim|yiz)|siniftay\S+|sinifim|[1-4] siniftay\S+)",
    r"(?:lise|ortaokul) ?[1-4] (?:yim|deyim|dayim|teyim|tayim|uncuyum|im|siniftayim|siniftim|sinifim)",
    r"liseliy\S*|ortaokulluy\S*|lise(?:de|lide|si\S*[dt]e)yi[mz]|ortaokulday\S*m|ortaokulday\S*z"
    r"|ilkokulday\S*|liseli bir \S+im"
    r"|lise(?:yi)?(?: daha)? (?:bitmedi|dondurdum|biraktim|terk|bitirmedim|bitince|bitirince|bitmeden)"
    r"|lise cagindayi?m"
    r"|lise ogrenci\S*[iu]m|(?:ortaokul|lise)\S*(?: \S+){0,6}? mezun ol(?:ca|uca|aca|uyo)\S*[mz]"
    r"|mezuniyet\S* (?:ortaokul|lise)|(?:lise|ortaokul)\S* (?:mezun olu?ca\S*|mezun ola\S*"
    r"|bitir?i?ce\S*m)",
    rf"{CLASS} sinif\S*(?: \S+){{0,2}}? {_GOING}|{CLASS} sinif(?:tay|tey|day)\S*|{CLASS} sinif(?:im"
    r"|iz|lardan biriyim|liyim)"
    rf"|(?:su an|simdi|ben|bende|daha|henuz|bu sene|yeni) {CLASS} sinif\S*|(?:daha|henuz) [1-4](?::\S+)? sinif\S*",
    r"[3-4](?::\S+)? sinif\S* (?:gidiyo\S*m|giden bir\S*)",
    r"(?:[5-9]|1[0-2]):(?:da|de|ta|te)y[iu]m|(?:[5-9]|1[0-2]):(?:e|a|ye|ya) (?:gidiyo\S*m|geciyo\S*m"
    r"|gectim|gectik|gecic\S*m|basladim|gidiyom)",
    r"(?:[5-9]|1[0-2])[ :][a-h] ?(?:dey[iu][mz]|day[iu][mz]|sinif\S*|subes\S*|ogrenc\S*)|(?:[5-9]"
    r"|1[0-2])[ :][a-h] (?:den|dan) \S+ ben|ben(?: \S+){1,2} (?:[5-9]|1[0-2])[ :][a-h] (?:den|dan)",
    r"lgs ?\S* (?:girdim|gircem|girecem|giricem|girecegim|hazirlan\S*m|calis\S*m)|lgsye \S*m|lgs ogrencisi\S*m",
    rf"{N} y\S{{0,2}}s\S{{0,3}}nd\S{{0,3}}m|{TEEN}(?::\S+)? (?:oldum|olduk|olucam|olcam|olaca\S+m|oluyo\S*m)",
    r"yas(?:a|ima|ina) (?:daha |henuz )?(?:gelme|ulasma|erisme|varma)\S*[mz]|yasal yas\S* (?:gelme"
    r"|ulasma|altinda)\S*[mz]",
    r"18(?::\S+)?(?: yas\S*)? (?:olunca|girince|doldurunca|olana|basinca"
    r"|oldugumda)(?: \S+){0,4}? \S+(?:[aeiu]c[ae]m|[aeu]ca[gk]\S*m|ece[gk]\S*m)",
    r"(?:kimlikte|nufusta|resmiyette|kanunen|yasal olarak|hukuken)(?: \S+){0,2}? (?:kucugum"
    r"|1[4-7](?::\S+)?|cocugum|cocuk sayil\S*)",
    r"(?:sonra|seneye|icinde|yakinda|yazin) resit(?:im|iz)?|(?:resitlige"
    r"|resitlik icin)(?: \S+){0,3} (?:var|kaldi)|ben (?:daha |bi |bir )?ergenim|daha cocugum"
    r"|cocuk sayil(?:iyorum|irim)",
    rf"{CLASS} sinif(?: \S+){{0,2}}? (?:hepimiz|bizimkiler|biz)|(?:biz|hepimiz|arkadaslarla"
    rf"|kankamla)(?: \S+){{0,2}}? {CLASS} sinif\S*|(?:meslek|endustri"
    rf"|ticaret)\S*(?: \S+){{0,3}}? {CLASS} sinif\S*",
    r"(?:meslek|lise|ortaokul)\S*(?: \S+){0,2}? [3-4](?::\S+)? sinif\S*",
    r"ben (?:daha |henuz |sadece |kucuk |bi |bir )+(?:cocugum|kucugum|ogrenciyim lise)"
    r"|kimligim (?:yok daha|daha yok|cocuk)",
    r"cocuk kimli[kg]\S* var|cocuk olduguma",
)
_ENGLISH = (
    r"(?:im|i am) (?:around |about |exactly )?that age|(?:will|yet to|not|havent|going to"
    r"|shall) (?:complete|completed|attain|finish) 18",
    rf"{_IM} {N}(?: (?:yo|y o|years?(?: old)?|m|f|yro))?|(?:{TEEN}|1[0-2] yo) (?:here|rn|btw)",
    r"(?:hi|hello|hey|bro|sir|yes|miss|pls|please|so|and|but|because|bc|ok|its|for) me (?:am |is "
    rf"|only |just |at )?{TEEN}|me {TEEN} (?:years?|yo|only|but|and)",
    rf"my (?:real |actual |true )?age (?:is |s |it is )?(?:only |just )?{N}|(?:i|ive|i have|i just"
    rf"|just|only|hi|hello|recently) turned {N}",
    rf"(?:as an?|an?|if|the) {TEEN} (?:yo|y o|years? old) (?:me|i|im|and i|myself|yes me|like me"
    rf"|who is me|here)|as an? {TEEN} (?:years? old|yo)(?: i| im| my| and)?",
    rf"{N} (?:yo|y o|years? old|years) (?:boy|girl|student|here|and i|kid here|guy|lad here|so i|but i"
    rf"|male|female)|aged {TEEN} myself",
    rf"(?:ill|i will|i|gonna|going to|to) (?:be|turn) {TEEN} {SOON}|(?:was|got) told {TEEN}s? (?:was"
    rf"|is) (?:fine|ok)|am {TEEN} (?:years?|yo|and|from|in|but|i|my|so|boy|girl)|(?:hi|hello"
    rf"|i) am {N}",
    rf"is {TEEN} (?:years )?(?:old )?(?:allowed|ok|okay|enough|fine|too young)|(?:can|could"
    rf"|may) (?:an? )?{TEEN} (?:years? olds?|yo) (?:play|join|bet|sign|register|open)",
    rf"(?:{_IM}|honestly|technically|legally|cause im|bc im|because i)(?: an?)? (?:under ?18|underage"
    r"|under age|minor|not 18|below 18|not of (?:legal )?age"
    r"|too young|kid|child|schoolkid|schoolboy|schoolgirl|teen|teenager|not (?:\S+ )?old enough"
    r"|not even 18|not an adult|no adult)",
    r"(?:im|i am|i|me|still|being|bc|cause|because|cos|cuz|and|but|so|so im|yeah"
    r"|yes)(?: \S+){0,2}? (?:not|aint|isnt|too|way too|bit|arent)(?: \S+)? (?:old enough|young for"
    r"|young to (?:play|bet|have|get|open|sign|use|join|hold|own|drive|vote))",
    r"(?:not|aint) (?:\S+ )?old enough (?:to (?:play|bet|gamble|have|get|open|sign|use|join|hold|own"
    r"|drive|vote|do)|for|yet|till|until|before|by|so|but|and|here|on)",
    r"(?:not|cant|wont be|isnt|aint|never)(?: \S+)? (?:legal|of age|of legal age|allowed"
    r"|old enough)(?: \S+){0,2}? (?:till|until|yet|before)(?: \S+)?",
    r"not (?:yet )?(?:quite )?of (?:legal |full )?age|(?:am|be|come|become|reach|turn) of (?:legal "
    r"|full )?age (?:in|next|on|till|until|soon|this|before|later|shortly)",
    r"(?:i havent|i have not|havent|i aint|im not|i am not|ive not|i have yet to)(?: \S+)?(?: turned"
    r"| reached| hit| turn| be)? 18(?: yet)?|not 18 (?:yet|till|until|for|so|but)"
    r"|my age is (?:not enough|too low|too small|under|below)|i (?:dont|do not) have (?:the )?age",
    r"(?:until|till|before|when|once|as soon as|then|after|wen) (?:im|i turn|i am|i hit|i get to"
    r"|i reach|ill be|i will be|i become|am|i be) (?:18|of age|legal|an adult)",
    r"(?:turning|turn|ill be|i will be|i shall be|gonna be|im|be|hit|becoming"
    rf"|reach) 18(?::th)? {SOON}|18 {SOON} (?:january|february|month|week|year|summer|spring|autumn"
    r"|winter|the \S+)(?: .{0,0})?",
    rf"18 in (?:{EN_MONTH}|a (?:month|week|few|year|day|couple)|\S+ (?:months?|weeks?|days?|years?))",
    r"my 18(?::th)?(?: birthday| bday)?(?: is| s| isnt| falls| lands| comes)?(?: \S+)? (?:in|on|next"
    r"|until|till|tomorrow|coming|is|falls|away|not)",
    r"(?:wont|will not|not|dont|shant|dont turn|cant)(?: \S+)? (?:be |turn |hit "
    r"|reach )?18(?: \S+){0,2}? (?:until|till|for|yet|before|another)",
    r"(?:months?|weeks?|days?|years?|wks?|mths?|birthdays?) (?:\S+ )?(?:till|until|to|before|off"
    r"|short of|from|away from|shy of|under|younger than|left till) (?:im |i am |i turn |my |being "
    r"|turning |i hit |the )?18(?::th)?",
    rf"(?:{_IM}|am|i go|i go to|i study in|i study|still|only|just|i|me|we|my mates and i|both) ?(?:to "
    rf"|in |at |from |of |on |start\S* |finish\S* |doing |into )*(?:the |a |my )?{_GRADE}",
    rf"{_GRADE} (?:student |pupil |kid |boy |girl |guy )?(?:here|rn|po|na|ako|po ako|btw|student here)",
    r"(?:im|i am|still|only|just|am|i)(?: \S+)?(?: in| at) (?:the )?(?:high ?school|highschool"
    r"|middle ?school|secondary(?: school)?|school(?: still| rn| now| atm)?|boarding school)",
    rf"(?:{_IM}|as) (?:high ?school|highschool|middle ?school|secondary school|school)(?: student"
    r"| pupil| kid| boy| girl|er)",
    r"(?:sophomore|freshman|junior|senior) (?:in|at|year) (?:the )?(?:high ?school|highschool)"
    r"|(?:highschool|high school) (?:sophomore|freshman|junior|senior)",
    r"(?:my|doing|sitting|revising for|studying for|before|after|failed|did)(?: my)? (?:gcses?"
    r"|mock exams|waec|matric)|i (?:go|still go) to (?:high |middle |secondary )?school|(?:me and"
    r"|i and|with) my classmates",
    rf"exams? (?:in|for|of) {_GRADE}",
    r"am (?:an? |just |only |young )*(?:boy|girl|student|child|kid|guy|teenager|youth"
    rf"|lad)(?: \S+)? (?:of |aged? )?{N}|am a (?:boy|girl|kid|lad|child) (?:from|in|who|and)",
    r"(?:just|still|only|im|am) (?:a |an )(?:kid|child|teen\S*|minor|schoolkid|schoolboy|schoolgirl"
    r"|school kid)|under ?aged (?:myself|so|but)|im under ?aged",
    r"18(?::th)? (?:birthday )?(?:isnt|is not|wont come|comes|aint|is)(?: \S+){0,2}? (?:until|till"
    r"|for another|away|off)|(?:until|till|by|before|wait for) (?:my |the )?18:th",
    r"(?:im|i am|me|am)(?: \S+){0,2}? (?:under|below|not|short of|not at)(?: \S+){0,2}? (?:legal"
    r"|minimum|required|gambling|betting|right)(?: \S+)? age",
    r"(?:lied|lying|lie|faked|fibbed)(?: \S+)? (?:about |on |with )?my (?:age|birth\S*|dob"
    r"|date of birth|year of birth)|(?:made|put) (?:myself|my age) (?:\S+ )?(?:older|up|higher)",
    r"(?:cant|cannot|couldnt|not|wont|illegal)(?: \S+){0,5}? (?:legally|legal|gamble|bet"
    r"|play)(?: \S+){0,3}? (?:for another|until|till|for) (?:\S+ ){0,2}?(?:years?|months?|birthday|18"
    r"|im|i)",
    r"my (?:form tutor|homeroom|head of year|school report|report card|school uniform)|(?:last|final"
    r"|first) year of (?:high |secondary |middle )?school",
)
_GERMAN = (
    r"18 (?:werde|werd|bin) ich (?:\S+ )?(?:erst|bald|im|in|nachst\S*)",
    r"(?:ich )?bin(?: (?:erst|noch|gerade|grad|ja|doch|zwar|aber|auch|eigentlich|halt|leider|fast|nur"
    r"|jetzt|ich|schon|knapp|beide|heute)){0,4}"
    rf" {N}(?: jahre?(?: alt)?)?|ich {TEEN} jahre|mit (?:meinen )?{TEEN}(?: jahren)? (?:darf|kann|bin|noch)",
    r"(?:bin|ich)(?: \S+){0,3}? (?:minderjahrig|nicht volljahrig|zu jung|nicht alt genug|unter 18)"
    r"|noch nicht (?:18|volljahrig|alt genug)|nicht volljahrig bin"
    r"|(?:bin|ich) (?:noch |ja )?(?:keine|unter) 18|noch keine 18",
    rf"(?:werde|wird|werd)(?: \S+){{0,5}}? (?:18|volljahrig)|(?:werde|werd)(?: \S+){{0,4}}? {TEEN}"
    r"|bald (?:18|volljahrig)|(?:erst|dann) (?:\S+ ){0,4}(?:18|volljahrig)|(?:18(?::te\S*)?"
    r"|achtzehnten) geburtstag (?:ist|erst|in|im|am|hab)",
    r"(?:bis|wenn|sobald)(?: ich| zu| zum| meinem){0,3} (?:18|volljahrig)(?::\S+)?",
    r"(?:ich|gehe|geh|bin|wir|besuche|komme|beide|und ich|sitze)(?: \S+){0,4}? (?:[5-9]"
    r"|1[0-3])(?::\S+)? (?:klasse|klassler|klasslerin)|(?:bin|gehe|geh|komme"
    r"|sitze)(?: \S+){0,2}? (?:in der|in die) (?:[5-9]|1[0-3])(?::\S+)?",
    rf"anrufer\S*(?: \S+){{0,8}}? {N}(?: jahre)?(?: alt)? (?:zu sein|sei|ist)|(?:er|sie) sei (?:erst |noch )?{N}",
    r"(?:ich |wir )?(?:gehe|geh|gehen) (?:\S+ ){0,2}?(?:zur|aufs|auf die|auf das|in die) (?:schule"
    r"|gymnasium|realschule|hauptschule|gesamtschule)",
    r"(?:bin|als)(?: \S+){0,2}? schuler(?:in)?|mein(?:en)? schulerausweis",
)
_RUSSIAN = (
    r"мне(?: (?:всего|только|еще|сеичас|пока|вообще|то|же|уже|почти|лишь|недавно|исполнилось|скоро|на"
    rf"|самом|деле|тут|если)){{0,4}} {N}(?: лет| год\S*)?",
    r"я(?: \S+){0,2}? (?:несовершеннолетн\S+|малолет\S+|школьни\S+|\S+классни\S+)|(?:мне|еще"
    r"|пока)(?: еще| пока)? (?:нет|не исполнилось|не было|нету)(?: мне)?(?: еще| пока)? 18|нет 18"
    r"|не исполнилось 18",
    r"(?:через|скоро|будет|исполнится|стукнет|исполняется|осенью|летом|весной|зимои|веснои"
    r"|зимой)(?: \S+){0,3}? 18|до 18(?:летия)?(?: мне)?(?: еще)?(?: \S+){0,2} (?:месяц\S*|остал\S*"
    r"|недел\S*|дн\S+|год\S*)|до совершеннолетия|18(?: лет)?(?: мне)?(?: еще)? (?:будет|исполнится"
    r"|стукнет|нет|не исполнилось|не стукнуло|через)",
    r"(?:учусь|хожу|перешел|перешла|иду|закончил\S*|сижу|пошел|пошла|я)(?: \S+){0,3}? (?:[3-9]"
    r"|1[01])(?::\S+)?(?: м| ом| и| ый)? класс\S*|я в (?:[3-9]|1[01])(?::\S+)? класс\S*",
    r"(?:мои )?возраст\S* не (?:позволя\S*|хвата\S*|подход\S*|проход\S*)|не хватает (?:возраста|лет)"
    r"|(?:я )?(?:учусь|хожу)(?: еще)? в школ\S+|в школе учусь|школу(?: еще)? не закончил\S*"
    r"|я(?: \S+)? 1[0-7] летн\S+|я(?: \S+)? \S+надцатилетн\S+",
)
_ARABIC = (
    rf"(?:انا )?(?:و)?عمري(?: (?:لسه|لسا|بس|فقط|الان|هلق|حاليا|الحين|توه|كمان)){{0,2}} (?:ال)?{N}"
    rf"|انا (?:عندي |بس |لسه |ابن |بنت |بعمر )?{N} (?:سنة|سنه|عام|عاما)|عندي {N} (?:سنة|سنه|عام|عاما)",
    r"انا قاصر\S?|(?:لسه|لسا|لسى|كوني|لاني|لانني|اني) قاصر\S?|(?:عمري )?(?:تحت|اقل من|دون)(?: ال"
    r"| سن)? ?(?:ال)?18|(?:ما|لم) (?:وصل|يصل|كمل|صار|بلغ|يبلغ|تجاوز|يتجاوز)(?: \S+){0,2}? (?:ال)?18"
    r"|(?:ما|لم|لسه ما|لسا ما|مو|مش)(?: \S+)? (?:كملت|بلغت|صار عمري|وصلت|اكمل|ابلغ|اتم|صرت"
    r"|تميت)(?: \S+)? ?(?:ال)?18",
    r"(?:بصير|اصير|صير|هصير|حصير|هكمل|بكمل|اكمل|اتم|هتم|بتم|ابلغ|سابلغ|ساتم|يصير عمري|بيصير عمري"
    r"|حيصير عمري)(?: \S+){0,2}? (?:ال)?18|عمري (?:ما|لا) (?:بيسمح|يسمح|بسمح|يكفي|بيكفي)|(?:عمري"
    r"|سني) (?:صغير|لا يسمح|اصغر|ناقص)|(?:السن|العمر) (?:لا|ما) يسمح",
    r"(?:انا|ادرس|بدرس|لسه|لسا|لساتني|حاليا|طالب|طالبة|اني)(?: \S+){0,3}? (?:ب|في "
    r"|ل)?(?:ال)?صف (?:ال)?\S+|(?:بالصف|بصف) (?:ال)?\S+|(?:انا )?(?:طالب|طالبة|بدرس"
    r"|ادرس)(?: \S+)? (?:ثانوي\S?|اعدادي\S?|مدرسة|متوسط\S?|مدرسه|توجيهي)",
    r"(?:انا|توي|بعدني|لسه|لساتني)(?: \S+)? (?:ب|بال|ال|في )?(?:ثانوي\S?|ثانوية|متوسط|اعدادي\S?|توجيهي"
    r"|بكالوريا)|(?:باول|بثاني|بثالث|اول|ثاني|ثالث) (?:ثانوي|متوسط|اعدادي)",
)
DECLARED = any_of(*_TURKISH, *_ENGLISH, *_GERMAN, *_RUSSIAN, *_ARABIC)
# An agent writes the log of a call: "müşteri 16 yaşında olduğunu söyledi"
OF_CALLER = any_of(
    rf"{CALLER}(?: \S+){{0,10}}? {N} (?:yasinda(?:yim|ymis| oldug\S+)?"
    r"|yasini (?:yeni )?doldur\S{2,8}|years? old)",
    rf"{CALLER}(?: \S+){{0,12}}? (?:yasinin (?:tutma|kucuk|yetme|18)\S*|resit olmad\S*"
    r"|18(?::\S+)?(?: yas\S*)? (?:kucuk|olmad|doldurma|tamamlama)\S*"
    rf"|(?:lise|ortaokul)\S*(?: [1-4]| son| hazirlik)?(?: sinif\S*)? (?:ogrencisi|gittig|okudug|son sinif)\S*)",
    rf"{CLASS} sinif\S*(?: \S+)? ?(?:oldug|gittig|okudug|gectig)\S*|(?:lise"
    r"|ortaokul)\S*(?: \S+){0,2} (?:gittigini|okudugunu)",
    rf"{CALLER} (?:\S+ )?{SAYS}(?: \S+){{0,6}}? (?:is|are|was|age|of|hes|shes|being|turned|only|just"
    rf"|am)(?: only| just| actually| still){{0,2}} (?:{N}|under ?18|underage|a minor|not (?:yet )?18)",
    rf"{CALLER}(?: \S+){{0,8}}? (?:is|being|was|hes|shes)(?: only| just| still)? (?:under ?18|underage"
    rf"|a minor|only {N}|in {_GRADE}|at school|a {_GRADE})",
    rf"yasinin(?: \S+)? {N} oldug\S+|{CALLER}(?: \S+){{0,8}}? (?:\S*ogrencisiymis|(?:lise|ortaokul"
    r"|sinif)\S* (?:gidiyormus|okuyormus|gecmis)|18(?::\S+)? doldurmamis\S*)",
    rf"{_SAID}(?: \S+){{0,3}}? {N} yasinda(?:ymis| oldug\S+)|{N} (?:yasinda"
    rf"|yasini doldur\S+) ?oldug\S+ {_SAID}|{N} yasinda oldug\S+(?: \S+){{0,2}}? {_SAID}",
)
ADULT = any_of(
    rf"{_GROWN} yas\S*(?:yim|yiz|ym)|{_GROWN} yas(?:ina|ima) (?:geldim|girdim|bastim)"
    rf"|{_GROWN} yas(?:inda|indaki)?(?: bir)? (?:emekli|adam|kadin|insan|esnaf|baba|anne|dede|kisi)\S*",
    rf"{_GROWN}:(?:y?[iu]m|\S*[iu]ndey?i?m|l[iu]kyim)|yasim(?: zaten| su an| da)? {_GROWN}|(?:ben"
    r"|hem) (?:2[0-9]|[3-9][0-9])(?::\S+)? ?(?:yas\S*)?",
    r"18(?::\S+)?(?: yas\S*)? (?:gecen \S+ |yeni |gectigimiz \S+ |coktan |bu \S+ )?(?:doldurdum"
    r"|bitirdim|gectim|girdim|bastim|oldum|tamamladim)|(?:dun|bugun|yeni|gecen \S+) 18 oldum|resitim"
    r"|resit oldum|koca adamim|resit biriyim",
    r"(?:im|i am|iam)(?: now| actually| fully| over| well over){0,2} (?:19|[2-9][0-9]|18 (?:now"
    r"|years? old|already|and|so)|over 18|an adult|a grown \S+)",
    rf"(?:ich )?bin(?: \S+)? {_GROWN}(?: jahre?)?(?: alt)?|volljahrig bin|bin volljahrig|мне(?: уже"
    rf"| сеичас)? {_GROWN}|(?:ال\S+ )?عمري(?: \S+)? {_GROWN}|انا {_GROWN}",
    r"universite\S* (?:ogrenci|mezun|okuyo|[1-4]|birinci|hoca|de|gidiyo)\S*|universitede\S*"
    r"|universiteliy\S*|fakulte\S*|yuksek lisans|doktora|ogretmen(?:i|)y?im|ogretmenlik|docent\S*"
    r"|avukatim|onlisans|lise mezunuyum"
    r"|(?:hukuk|tip|muhendislik|isletme|iktisat|mimarlik|hemsirelik"
    r"|psikoloji)(?: \S+)? [1-6](?::\S+)? sinif\S*|emekliyim|i teach|im a teacher|my (?:wife|husband)"
    r"|at uni(?:versity)?|college (?:junior|senior|sophomore|freshman)",
)
_HELD = (
    r"(?:kimli[kg]\S*|tc|kart\S*|hesa[bp]\S*|telefon\S*|sifre\S*|iban\S*|bilgi\S*|adi?\S{0,3}"
    r"|numara\S*|uyeli\S*|papara\S*)"
)
_ELDER = r"(?:abi|abla|baba|anne|dede|babaanne|anneanne|nene|nine|dayi|amca|teyze|hala|kuzen|eniste|usta|anam|babam)"
SIGNS = (
    (2.0, any_of(
        r"(?:daha|henuz|yani|cunku|ama|sadece|gercekten|valla|vallahi|harbi|hakikaten|only|aber|erst"
        rf"|demicem|actually|aslinda|и|всего|только) {TEEN}",
        rf"{TEEN} (?:cant play|cant bet|cant join|since|btw|almost|nearly|yasim\S*)",
    )),
    (1.5, any_of(
        r"resit|yas(?:im(?:i|a|iz|dan)?|i kucuk\S*|i tutma\S*|i yetme\S*|ta|imiz)|ehliyet yas\S*"
        r"|(?:daha|henuz) 18|18 (?:olunca|yok|olmadan|doldur\S*)|18:\S+ (?:doldur|bekle)\S*",
        r"underage|minor|under 18|not 18|18:th|of age|(?:cant|cannot|not allowed|not legal\S*"
        r"|illegal)(?: \S+){0,4}? yet(?: \S+)? ?(?:obv\S*|technically)?|my age|for my age"
        r"|allowed for me|need an adult|too young|age thing",
        r"volljahrig|minderjahrig|قاصر|القاصر|несовершеннолетн\S+|возраст\S*|السن|العمر",
    )),
    (1.5, any_of(
        rf"{_GRADE}|{CLASS} sinif\S*|my classmates|schulerausweis"
        r"|schulausweis|veli izni|karne\S*|lgs\S*|ogrenci karti\S*"
        rf"|(?:orta|ilk) ?okul\S*|(?:[5-9]|1[0-3])(?::\S+)? klasse|(?:[3-9]|1[01])(?::\S+)? класс\S*",
    )),
    (1.5, any_of(r"(?:[5-9]|1[0-2])[ :][a-h]")),
    (1.5, any_of(r"taschengeld|harclig\S*|pocket money|lunch money|карманны\S*|مصروفي")),
    (2.0, any_of(r"velim|velimin|velime|velimi|homeroom")),
    (1.5, any_of(r"lise [1-4]")),
    (2.0, any_of(rf"{TEEN}(?::\S+)? diye")),
    (1.0, any_of(r"(?:yasit|akran)lar\S*")),
    (0.5, any_of(r"karnem\S*|karneden|lgs\S*")),
    (1.5, any_of(
        r"teneffus\S*|beden (?:hocasi|ders)\S*|okul servisi\S*|servisteyi[mz]|sira arkadasim\S*|in der pause"
        r"|learners? permit|zil cal\S*|prom|recess|detention|study hall|after school|на уроке|на перемене"
        r"|بالفسحة|بالحصة",
    )),
    (1.5, any_of(
        r"(?:ogretmen|hoca|hocam|mudur|nobetci)\S*(?: \S+){0,3}? (?:telefon\S*|yakala\S*|gorme\S*|gordu|kizdi|aldi)",
        r"(?:ders|sinif|okul)\S*(?: \S+){0,2} (?:yakalan\S*|telefon\S* ald\S*)",
        r"teacher(?: \S+)? (?:took|has|caught|confiscated|saw|took away|is looking|comes|came)",
        r"lehrer\S*(?: \S+){0,3} (?:handy|weggenommen|erwischt)",
    )),
    (1.5, any_of(
        r"okula (?:gidiyo|gidicem|gidecem|gitmem|gidic)\S*|(?:yasa|yasima|yasimiza|yastan) (?:takil|dolayi|oturu)\S*",
        rf"{CLASS} sinif\S* (?:bitti|bitiyo\S*|bitirdi[mk])",
    )),
    (1.0, any_of(
        r"(?:arkadas\S*|herkes|hepimiz|butun|tum)(?: \S+){0,3} sinif(?:ta|ca|tan|taki)?|sinif(?:ta|ca|taki\S*)"
        r"(?: \S+){0,2} (?:herkes|hepsi|hepimiz|bi ben|bir ben|arkadas\S*)",
        r"(?:babamin|annemin|abimin|ablamin|dedemin|anamin)(?: \S+){0,2} (?:girsem|girersem|kullansam|acsam"
        r"|yazsam|yuklesem)",
        r"(?:annem|babam|abim|ablam|dayim|amcam)(?: \S+)? (?:kayit olmus|uye olmus|acmis|kayitli)(?: \S+){0,3} ben",
        r"(?:yks|tyt|ayt|егэ)\S*",
    )),
    (1.0, any_of(rf"{CLASS} sinif(?:ta|a|i|im|lar\S*|tan)?")),
    (1.5, any_of(rf"{TEEN} in (?:a|\S+) (?:months?|weeks?|days?)|{TEEN} in {EN_MONTH}")),
    (2.0, any_of(rf"{TEEN} (?:yasinda|yas|yo|лет)", r"ben(?:im)? gibi (?:bir |bi )?(?:cocu|ogrenci|genc)\S*")),
    (1.5, any_of(
        r"my classmates|(?:orta|ilk) ?okul mezuniyet\S*",
        r"(?:dogum (?:tarih|yil|gun)\S*|yasimi?)(?: \S+){0,2}? (?:buyuk|farkli|yalan|sahte|sallad\S*"
        r"|uydur\S*|degistirerek|degistirip)",
        r"(?:matematik|fizik|kimya|biyoloji|turkce|beden|cografya|ingilizce|edebiyat|fen|mat)"
        r" (?:sinav|yazili|ders|hoca|odev)\S*|darf(?: ich)?(?: eigentlich| ja| noch)+ nicht",
        r"(?:cant|cannot|not allowed to) (?:have|make|open|get) (?:my own|one|an account|account)",
    )),
    (1.0, any_of(
        rf"{_ELDER}\S{{0,7}}(?: \S+){{0,2}}? {_HELD}|(?:annem|babam|abim|ablam|dayim|amcam|kuzenim"
        r"|ustam|dedem)(?: \S+){0,2}? (?:verdi|verecek|vericek|verirse|acti|yatirdi|onayladi|izin)",
        r"(?:my |the )?(?:brothers?|sisters?|dads?|mums?|moms?|cousins?|uncles?|aunts?|grandads?"
        r"|grandmas?|nans?|stepdads?|stepmums?|kuya|mates?|friends?|fathers?"
        r"|mothers?)(?: \S+)? (?:accounts?|acct?|acc|login|cards?|ids?|name|phone|licen[cs]e|passport"
        r"|tablet|bvn|details|use his|use hers)",
        r"(?:konto|karte|ausweis|daten|handy) (?:von|vom)(?: meine\S?)? (?:bruder|vater|papa|mutter"
        r"|mama|schwester|cousin|kumpel|opa|oma|onkel)\S?",
        r"(?:ب?حساب|بطاقة|باسم|هوية) (?:ابوي|ابي|امي|اخوي|اخي|اختي|خالي|عمي|الوالد)|(?:аккаунт\S?"
        r"|карт\S{1,2}|паспорт\S?|телефон\S?) (?:на )?(?:отца|мам[ыу]|папы|папу|брата|сестры|бабушки"
        r"|деда)",
    )),
    (1.0, any_of(
        r"(?:annem|babam|anam|evdekiler|ailem|hocam|hoca|mum|mom|dad|parents|mama|papa|mother|father"
        r"|stepdad)(?: \S+){0,2}? (?:duyar\S*|duyma\S*|ogreni\S*|gorur\S*|gorurse|gorc\S*|anlar\S*"
        r"|kizar\S*|dedi|diyo|bilmiyo\S*|bilmesin|oldurur|doesnt know|dont know|finds? out|will kill|kills me"
        r"|cant know|izin verdi|gets home|comes home|says|said|yakala\S*)",
        r"(?:tell|telling|inform) (?:my )?(?:dad|mum|mom|parents|school)|мама (?:узнает|не знает"
        r"|убьет)|قبل ما (?:تعرف|يعرف) \S+|meine (?:eltern|mutter|mama) (?:wissen|weiss|weiß|darf)",
    )),
    (1.0, any_of(
        r"okul\S*|sinifca|sinav(?:im|dan|imiz|a|ima)\S*|maths|lunch break|half term|a levels|ders(?:im|imiz"
        r"|ten|te|lerim|ler|i|e)|dershane\S*|odev\S*|sinif arkadas\S*|siniftan|sinifta"
        r"|ogretmenim\S*|mudur yardimcisi|yazili(?:m|dan|lar\S*|miz)|sozlu(?:m|ye)|takdir"
        r"|tesekkur belgesi|lise\S*|universite sinavi\S*|yks|ygs|mufredat|kantin\S*|servisci\S*"
        r"|stajdan|beden dersi|cirag\S*"
        r"|school|homework|classmates?|gcses?|exams?|mocks|teacher|lessons?|detention|sophomore"
        r"|freshman|waec|jamb|in class|roblox|schule|klasse|lehrer\S*|hausaufgaben|школ\S{1,3}"
        r"|класс\S*|урок\S*|مدرسة|مدرستي|المدرسة|الصف|امتحان\S*|genc sesli|kucuk ses\S*|young sounding"
        r"|sounds young",
    )),
    (-2.0, any_of(
        r"ogretmenler odas\S*|(?:im|i am) an? (?:\S+ )?teacher|meine[nr]? (?:schuler\S*|klasse)|bin lehrer\S*"
        r"|veli toplant\S*|my (?:girl|boy|lad)|(?:bir|ben) ogretmen|ogretmenleri|arayan ogretmen|ogrencisinin"
        r"|cocug\S*|oglum\S{0,3}"
        r"|kizim\S{0,3}|cocugumun|cocugumu|cocuguma|cocugu|cocuk\S{1,6}|torun\S*|yegen\S*"
        r"|kardesim\S*|ogrencim\S*|esim\S*|maas\S*|ogretmeni|ogretmeniyim|(?:okul|bir|lise) mudur\S*|mudurum|rehber"
        r"|emekli\S*|universite(?:de|deyim|li|liyim)\S*|calistigim|veliyim|annesiyim|babasiyim"
        r"|my (?:sons?|daughters?|kids?|child|children|wife|husband|grandson|nephew|niece|pupils"
        r"|students|brother is|sister is|class|(?:\S+ ){1,2}students)|their teacher|i teach|teacher at"
        r"|i work at|i coach|years ago|when i was|since i was|mein sohn|meine tochter|meine kinder"
        r"|ابني|ابنتي|اولادي|мо\S \S*(?:сын|дочь)|my job|my pension|rent|mortgage",
        rf"{_GROWN} yas\S*|(?:im|i am) {_GROWN}",
    )),
)  # fmt: skip
ABOUT = any_of(
    r"(?:sons?|daughters?|sohn\S{0,2}|tochter|bruder\S?|neffe\S?|nichte|girl|boy|pupils?|nephew"
    rf"|niece|fella)(?: \S+){{0,2}} {TEEN}~?(?: (?:years?|he|she|er|sie|who|and|macht))",
    rf"{_OLD}(?: \S+){{0,4}}? {_KIN}",
    rf"{_KIN}(?: \S+){{0,6}}? (?:only |just |daha |henuz |erst |еще |عمره |عمرها )?{_OLD}",
    rf"{_KIN}(?: (?:is|ist|was|are|that|hes|shes|turned|aged|age|who|whos|ему|еи|только|всего|daha"
    rf"|henuz|of|just|only|erst|barely|like|about|have|name|عمره|عمرها)){{0,3}} {N}~?(?::\S+)?",
    rf"{T}~?(?::l[iu]k) {_KIN}|my {T} (?:yo|year old)|(?:u|under) ?{T}s?(?: \S+){{0,3}} {_KIN}"
    rf"|{_KIN}(?: \S+)? under {T}",
    r"(?:hes|shes|he is|she is|er ist|sie ist|ему|еи|و?عمره|و?عمرها)(?: only| just| barely| erst"
    rf"| всего| только| like| about)* {N}~?",
    rf"{_KIN}(?: \S+){{0,6}}? (?:resit degil\S{{0,3}}|18 (?:yasindan kucuk|alti|olmadi)\S{{0,3}}"
    r"|under ?18|under ?age|a minor|minderjahrig|несовершеннолетн\S{1,4}|قاصر)",
    rf"(?:resit olmayan|underage|minderjahrige\S?|несовершеннолетн\S+) (?:\S+ )?(?:{_KIN}|player|user"
    r"|person)|schoolboy|schoolgirl|school kid|school pupil",
    r"(?:ilkokul|ortaokul|lise)\S{0,4}(?: [1-4]| bir| son)?(?: sinif\S{0,4})?(?: giden| okuyan"
    rf"| ogrencisi| talebesi| cagindaki)? {_KIN_TR}",
    rf"{_KIN_TR}(?: \S+){{0,6}}? (?:lise|ortaokul|ilkokul)\S{{0,4}}(?: [1-4](?::\S+)?| bir"
    rf"| son)?(?: \S+)?|{_KIN_TR}(?: \S+){{0,6}}? {CLASS} sinif\S{{0,4}}"
    rf"|{CLASS} sinif\S{{0,4}}(?: \S+){{0,3}}? {_KIN_TR}",
    rf"{_KIN}(?: \S+){{0,6}}? (?:{_GRADE}|geht in die (?:\S+ )?klasse|(?:[5-9]|1[0-3])(?::\S+)? klasse"
    r"|в (?:[3-9]|1[01])\S* класс\S*)|(?:er|sie) (?:geht )?in die \S+ klasse|(?:he|she|hes|shes|who is"
    rf"|whos)(?: \S+){{0,2}}? in (?:the )?{_GRADE}",
    rf"{_KIN}(?: \S+){{0,8}}? 20[01][0-9] (?:dogumlu|doguml\S+|jahrgang|года рождения|born)"
    rf"|{_KIN}(?: \S+){{0,3}}? (?:born in|2:nd year of middle) \S+",
)
KIN = any_of(_KIN)
NOT_PLAYING = any_of(
    r"oynamiyo\S{0,3}|oynamaz|oynamamis|oynadigi yok|alakasi yok|ilgisi yok|hic oynama\S{0,6}"
    r"|oyuncak\S{0,5}|gibi (?:davran|konus|yazi)\S{1,12}"
    r"|reklam\S*|cocuguyla konus\S*|dont play|never touch\S*|uye olamadi|adverts?|ads|advertis\S+"
    r"|spielt nicht|doesnt (?:play|bet|gamble)|does not (?:play|bet|gamble)|never plays"
    r"|is betting legal|не игра\S{1,4}|не лезет"
)
PLAYING = re2.compile(
    r" (?:oyn|oynu|uye |uye|kumar|bahis|kupon|kayit|kullan|harca|yatir|kaybet|engel|girmis|girdi"
    r"|giriyo|girebil|izin ver|kimlig"
    r"|telefonum|telefonun|kartim|kart |hesap|hesab|kapatin|slot|rulet|zeplin|aviator|bonanza|casino"
    r"|siten|sizde|sizin site|sifre"
    r"|logged|your app|your site|profile|bets |balance|play|gambl|bet|account|card|using|uses|deposit"
    r"|register|spin|spent|tapp|game|login|lock|money"
    r"|got into|been on|on here|on your|has turned|profile"
    r"|signed up|block|spiel|zock|konto|verlor|geld|игра|ставк|став|счет|аккаунт|деньг|проигр|рулет"
    r"|слот|казино|карт|списан|[^ ]{0,3}لعب"
    r"|حساب|[^ ]{0,2}حساب|مصاري|[^ ]{0,2}بطاق)"
)
