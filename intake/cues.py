"""Turns of phrase that tell a repeated complaint from a new one: written again, happened again, asked, solved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import re2

_WRITE = "(?:yaz|ilet|bildir|mail at|mesaj at|ariyor|aradim|basvur|soyle)"
_SINCE = (
    "(?:daha once|once de|onceden|gecen gun|gecenlerde|gecen|dun|dun aksam|dun gece|sabah|tekrar|yine|yeniden|gene"
    "|ikinci kez|ikinci kere|ikinci defa|ucuncu kez|ucuncu defa|kac kere|kac kez|kac defa|telefonda da|telefonla da"
    "|size de)"
)
_HAPPEN = (
    "(?:oldu|olmus|ayni|yasad|yasiyor|basima|don|kop|cok|gel|kapan|kes|cek|giremi|acilm|dus|iptal|red|takil|hata|canli"
    "|bozul|kilit|yatir|gonder|atti|baglant|sorun|yansi|gecme|engel|blok)"
)
_WHEN = "(?:bugun|bu gece|bu aksam|bu sabah|dun|dun gece|dun aksam)"
_MATTER = (
    "(?:sorun|konu|sey|problem|kupon|yatirim|islem|talep|cekim|cekis|turnuva|mac|oyun|bahis|havale|odeme|bonus|tur"
    "|masa|kisi)"
)
_FAILED = (
    "(?:happened|happening|failed|froze|frozen|crashed|locked|disconnected|down|rejected|declined|cancelled|missing"
    "|void|voided|stuck|gone|out)"
)
_THING = (
    "(?:time|one|withdrawal|deposit|transfer|payment|bet|slip|ticket|problem|issue|game|round|match|night|day|agent"
    "|account|card|hand|tournament|bonus|matter)"
)
_SUM = r"\d[\d.,]{0,12}(?: ?(?:tl|lira\w{0,6}|usdt|euro?|dolar\w{0,4}|k|bin))?"
_COME = (
    "(?:geldi|gelmis|geldigi|gecti|gecmis|dustu|dusmus|yatti|yatmis|odendi|odenmis|odediniz|odemistiniz|yansidi"
    "|yansimis|cozuldu|cozulmus|duzeldi|duzelmis|hallol|halledil|onayland|sonucland|tamamland|kapandi|iade edildi)"
)
_EARLIER = (
    "(?:ilk|ilki|oncek|evvelk|dunku|gecenk|birinci|salidak|pazartesidek|obur|digeri|gecen haftak"
    "|(?:pazartesi|sali|carsamba|persembe|cuma|cumartesi|pazar)(?: gunku|k[iu]|nk[iu]|dak[iu]))"
)
_THANKS = "(?:tesekkur|tesekkurler|tsk|tskler|sag ?ol|saol|eyvallah|allah razi)"
_SETTLED_WORDS = "(?:settled|solved|resolved|sorted|fixed|credited|refunded|paid out|working again)"
_KIN = (
    "(?:esim|karim|kocam|abim|agabeyim|ablam|kardesim|annem|babam|oglum|kizim|kuzenim|torunum|komsum|dayim"
    "|amcam|yegenim)"
)
_WEEKDAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_GAP = r"\W{1,3}"

_RESEND = (
    rf"once (?:de |da )?{_WRITE}",
    rf"{_SINCE} (?:de |da )?{_WRITE}",
    "onceki (?:mail|mesaj|yazi|basvuru)",
    "(?:hala|halen) (?:cevap|donus|bekl|gelm|yok|ses|bir|bakan|sonuc|oden)",
    "(?:cevap|cvp|donus|yanit)(?: \\w+)? (?:gelmedi|gelmiyor|alamadim|yok|veren yok|vermediniz|vermiyor)",
    "icin yazmistim",
    "(?:yaz|soyle|bildir|ilet|iste|sor|ara|basvur)mist(?:im|ik)",
    r"dedim\b",
    "de(?:mistim|dik ya)",
    "hatirlat",
    "(?:kapat|duzelt|sil|degistir|engelle|cikar|ilgilen|don|bak|coz|cevapla)m[ae]diniz",
    "talebim vardi",
    "(?:bir|bi) daha yaz",
    "(?:kimse|bakan|ilgilenen|donen|arayan) (?:bakmadi|yok|donmedi|aramadi|ilgilenmedi|cevap)",
    "still (?:waiting|no|not|nothing|pending|haven|hasn)",
    "(?:wrote|written|writing|contacted|emailed|messaged|message|asked|reported|complained)"
    " (?:to |this )?(?:you |your \\w+ )?(?:again|before|already|yesterday|twice|last|about this)",
    "my (?:previous|last|first|earlier) (?:e-?mail|message|complaint|ticket)",
    "(?:second|third|2nd|3rd) (?:e-?mail|message|request|reminder|time (?:i|of asking))",
    "follow(?:ing)? up",
    "any (?:news|update)",
    "as i (?:told|asked|said|wrote|mentioned)",
    "i (?:told|already)",
    "(?:nobody|no one|noone) (?:has )?(?:answer|repl|told|respond|bother)",
    "reminder",
    "(?:immer noch|noch immer|weiterhin)",
    "(?:schon|bereits) (?:\\w+ )?(?:geschrieben|gemeldet)",
    "(?:все еще|до сих пор|уже писал)",
)
_ANEW = (
    rf"(?:yine|tekrar|yeniden|gene) (?:\w+ ){{0,2}}?{_HAPPEN}",
    rf"{_WHEN} (?:de |da )?(?:yine|tekrar|gene)\b",
    r"(?:bugun|dun) de\b",
    r"(?:bu|bunu|onu) da ",
    r"simdi de\b",
    "gecen sefer",
    rf"{_FAILED} again\b",
    r"again (?:today|tonight|this|now|my|it)\b",
    r"once more\b",
    r"(?:schon wieder|erneut|nochmal)\b",
    r"(?:опять|снова)",
)
_ANOTHER = (
    r"bu (?:sefer|kez|defa|seferki)\b",
    r"bir (?:kez|kere|defa) daha\b",
    "bir daha (?:oldu|ayni)",
    r"(?:bu ikinci|ikinci oldu|ikinci kez oldu)\b",
    rf"(?:baska|farkli|yeni) (?:bir )?{_MATTER}",
    rf"(?:ikinci|ucuncu|diger|obur) {_MATTER}",
    r"bir onceki(?:nden)?\b",
    r"(?:bundan|ondan|onunla|bununla) (?:ayri|baska|ilgisi|alakasi)",
    rf"(?:bu|o) (?:ayri|baska|farkli)(?: bir\b| {_MATTER}|\W{{0,2}}$|[.,!;])",
    r"(?:diger|obur|oteki) (?:kart|hesab|cihaz|telefon|banka|kullanici|uye)",
    rf"(?:bi|bir) (?:\w+ )?{_SUM} (?:\w+ )?daha\b",
    rf"{_SUM} daha\b",
    r"ayni(?:si|sini|sindan) (?:yap|oldu|basima|yasa)",
    r"\w+[dt]a da ayni",
    r"(?:ona|ondan|onun icin|onlari|oteki|otekini|digerini) (?:da|de)\b",
    r"(?:it|this) happened again\b",
    rf"(?:this time|(?:a second|the second|another|yet another|a different|different|a new|a separate) {_THING})\b",
    r"last (?:week|time|month) you\b",
    r"now (?:also|the|my other|there)\b",
    r"also my other\b",
    r"(?:that one too|as well\b|not the same|separate (?:from|to|matter|issue))",
    r"on top of (?:that|it)\b",
    r"unrelated\b",
    rf"the {_THING} (?:after|before|following)\b",
    r"(?:sonraki|bir sonraki|ertesi) (?:el|tur|mac|oyun|kupon|cekim|yatirim|bahis|gun de)",
    r"(?:diesmal|eine andere|ein anderes|noch eine|eine zweite|eine weitere)\b",
)
_SOLVED = (
    rf"{_EARLIER}\w{{0,8}} (?:\w+ ){{0,3}}?{_COME}",
    rf"(?:o|onu|bu|onlar) {_COME}",
    rf"(?:geldi|gecti|dustu|yatti|odendi|acildi|acildim|girdim|onaylandi|yansidi|aciliyor){_GAP}(?:\w+{_GAP})?{_THANKS}",
    rf"{_THANKS}\w{{0,6}}{_GAP}(?:ederim{_GAP})?(?:ama|fakat|ancak|simdi|lakin|yalniz)\b",
    r"\w+nki (?:de |da )?(?:geldi|gecti|gecmis|gelmis|dustu|yatti)",
    r"(?:duzel|cozul)(?:di|du|mis|mus)(?:ti|tu)?\b",
    r"(?:hallol|halledil)(?:du|di|mus|mis)",
    r"(?:geldi|yatti|odendi|gelmisti|acildi) (?:gerci|ama (?:simdi|bu|bugun))",
    r"(?:geldi|gelmisti|verildi) diye sevin",
    r"(?:farki?|eksigi|oncesi|oncekini?) (?:odenmis|odendi|yatti|geldi|odediniz|odemistiniz|yatmis)",
    rf"(?:it|that|this|first|one|other|issue|problem|matter)(?:s| is| are| was| got| has been) (?:now |all )?"
    rf"{_SETTLED_WORDS}",
    r"(?:first|other|previous|earlier) (?:one |\w+ )?(?:arrived|came|cleared|landed|turned up|went through"
    r"|has (?:arrived|come|cleared|landed))",
    r"(?:turned up|came through|went through|arrived|landed|cleared|works|working|credited) (?:\w+ )?"
    r"(?:thanks|thank|cheers|in the end|eventually)",
    r"one (?:you |has |was |is |got |did )?(?:been |now )?(?:sort|fix|paid|came|come|arriv|refunded|credited)",
    r"(?:finally|eventually|did) (?:landed|arrived|came|come|cleared|arrive|land|went through)\b",
    r"(?:artik (?:acil|calis|girebil|yuklen)iyor|(?:acil|calis|girebil|yuklen)iyor(?:um)? artik)",
    r"thanks? (?:you )?for (?:fixing|sorting|paying|refunding|sending|the quick)",
    r"(?:ist|sind|kam|wurde) (?:jetzt |inzwischen |nun |gestern |heute )?"
    r"(?:angekommen|da,|gutgeschrieben|gelost|erledigt|behoben)",
    r"спасибо\W{1,3}(?:вош|приш|зашел|все|решил)",
    r"теперь\b",
)
_DROPPED = (
    r"vazgec(?:tim|iyor)",
    r"cayd(?:im|ik)",
    r"geri al(?:iyorum|dim)\b",
    r"(?:benmisim|yanlis alarm|bos ver(?:in)?)\b",
    r"changed my mind",
    r"never ?mind\b",
    r"my (?:mistake|bad)\b",
)
_REOPEN = (r"(?:reopen|tekrar acin|yeniden acin|tekrar acilsin|geri acin)",)
_KINDRED = (
    rf"{_KIN}(?:in|un|e|a)? (?:de|da|icin|adina)\b",
    r"onun(?:ki)?(?:ni)? (?:da|hesab)",
    r"onunki",
    r"(?:my|for my) (?:wife|husband|brother|sister|son|friend|mother|father|dad|mum|partner)(?:s| s)?"
    r" (?:account|too|also|has|is|was)",
    r"on behalf of",
)
_WISH = (
    r"(?:ekle|sil|degistir|kapat|actir|yukselt|dusur|iptal et|katil|sor|cikar|al)m[ae]k ist",
    r"want to\b",
    r"(?:would|d) like to\b",
    r"nasil\b",
    r"how (?:do|can|long|much)\b",
    r"ne kadar\b",
    r"kac (?:gun|saat|para)\b",
    r"what (?:is|are) the\b",
)
_VAGUE = (
    "hafta",
    "week",
    "woche",
    "promis",
    "soz ver",
    rf"its {_WEEKDAY}",
    rf"it.s {_WEEKDAY}",
    r"bugun (?:ayin|\w+ ?\w+[iu]nc[iu] gun)",
)


_CAME = (
    r"(?:gel(?:di|mis|diler)|gecti|gecmis\w{0,5}|yatti|yatmis|yansidi|yansimis|acil(?:di|mis)|acmissiniz|actiniz|kalkti"
    r"|kalkmis|duzel(?:di|mis)|cozul(?:du|mus)|onaylan(?:di|mis)|onayladiniz|sonuclandi|tamamlandi|tamamladiniz|degisti|kesildi"
    r"|bitti|hallet\w{1,9}|duzelt(?:tiniz|mis\w{1,7})|coz(?:dunuz|mus\w{1,7})|ekle(?:diniz|mis\w{1,7})"
    r"|yukle(?:diniz|mis\w{1,7})|yatir(?:diniz|mis\w{1,7})|ode(?:diniz|mis\w{1,7}|ndi|nmis)"
    r"|gonder(?:diniz|mis\w{1,7})|iade (?:ettiniz|etmis\w{1,7}|edildi)|kapat(?:tiniz|mis\w{1,7})|aldim|girdim"
    r"|giriyorum|buldum|geldigini|acildigini|yerine geldi\w{0,6})"
)
_WENT = (
    r"(?:came|come|arrived|credited|fixed|lifted|loads?|works?|working|reopened|closed|refunded|returned|settled|paid"
    r"|sorted|solved|restored|landed|cleared|approved|accepted|sent back|turned up|went through|in my (?:bank|account)"
    r"|received|angekommen|gepruft|erledigt|da)"
)
_BUT = "(?:ama|fakat|ancak|yalniz|lakin|amma|but|however|only|aber|nur)"
_FINE = (
    "(?:tesekkur\\w{0,5}|sag ?ol\\w{0,4}|saol\\w{0,4}|eyvallah|sukur|thanks|thank you|cheers|danke|tamam|guzel"
    "|kabul|gerci|sorun yok)"
)
_FEW = r"\W{1,3}(?:\w{1,20}\W{1,3}){0,4}?"
_SETTLED = (
    rf"{_CAME}{_FEW}{_BUT}\b",
    rf"{_CAME} (?:de|da|gerci)\b",
    rf"{_CAME}\W{{1,3}}simdi\b",
    rf"{_CAME}{_FEW}{_FINE}\b",
    rf"{_WENT}{_FEW}(?:{_BUT}|{_FINE}|now|again|different|still)\b",
    rf"{_FINE}{_FEW}{_BUT}\b",
    r"thanks? (?:you )?for \w{2,14}ing\b",
    rf"{_FINE}{_FEW}{_CAME}\b",
    r"(?:was|is|has been|have|youve|you ve|meanwhile) (?:now |meanwhile |since |already )?(?:fixed|lifted|credited"
    r"|closed|restored|refunded|reopened|returned)\b",
    r"(?:loads|works|working|fine|open) now\b",
    r"now (?:it|you|the|my|there|also|im|i|they)\b",
    r"simdi (?:de|ise)\b",
    rf"{_CAME}{_FEW}(?:kalan\w{{0,3}}|fark\w{{0,3}}|eksik|yarisi)\b",
)
# \b and \w know Latin letters alone
_SETTLED_ELSEWHERE = (
    "(?:приш(?:ел|ла|ло|ли)|зачисл|вернули|решил|открыл|спасибо)[^.!?]{0,40}(?:но|а|теперь|сегодня)",
    "спасибо[.,! ]{1,3}(?:но|теперь|вош|приш|зашел)",
    "(?:وصل|تغير|ارجعتم|فتح)[^.!?]{0,30}(?:شكرا|لكن)",
    "شكرا[^.!?]{0,10}لكن",
)
_CHASE = (
    r"(?:bekliy\w{1,6}|bekledim|waiting|since|gundur|saattir|haftadir|aydir|beri\w{0,4}|kac gun|immer noch|until"
    r"|ne zaman|ne oldu|nerde|nerede|hani|any news|any update|overdue|outstanding)\b",
    r"(?:yok mu|artik (?:ver|oden|coz|duzelt|cevap|yatir))",
)
_UNHEARD = (
    r"(?:cevap\w{0,6}|donus|donen|kimse|ses|sus\w{1,8}|bakan|ilgilenen|answer\w{0,3}|reply|replies|nobody|ignor\w{1,5}"
    r"|explanation|aciklama|oyal\w{2,9}|antwort|niemand)\b",
)
_WROTE = (
    r"(?:yazmist\w{1,4}|yazdim|soylemistim|soyledim|bildir\w{3,9}|anlat(?:tim|mistim)|istemisti\w|demistim|dedim|diyorum"
    r"|tweet\w{0,4}|emailed|mailed|asked you|reported|geschrieben|once de|telefonda|telefonla"
    r"|kusura bakma\w{0,5}|noch einmal|yollamistim|atmistim|tekrar aradi)\b",
    r"(?:i|already|have|just) (?:wrote|written|told|asked|said)\b",
)
_TODAY = (
    r"(?:bugun\w{0,4}|bu (?:sabah|aksam|gece|hafta)\w{0,3}|today\w{0,2}|tonight|this (?:morning|evening|week)|heute)\b",
)
_TOO = (r"(?:bu da|bunu da|o da|ayrica|ustelik|also|too|as well|auch)\b", r"\w{2,14}(?:mi|ni|ki|i|u) d[ae]\b")
_OTHER = (
    r"(?:diger\w{0,6}|obur\w{0,6}|oteki\w{0,6}|oncek\w{1,6}|another|other|second|ikinci\w{0,4}|gecenki\w{0,6}|ilkin\w{0,5}"
    r"|gecen haftaki\w{0,5}|opposite|instead|following your)\b",
)
_REFUSED = (
    r"(?:redded\w{2,8}|reddett\w{1,6}|reddi\w{0,4}|rejected|refused|kabul etm\w{1,8}|geri cevir\w{2,8}|declined"
    r"|abgelehnt)\b",
    r"(?:now (?:you )?(?:wants?|asks?|demand)|istiyorsunuz|istediniz|demand\w{0,3}|verlangen)\b",
)


_APART = (
    r"(?:bu|o|bunlar|onlar|ilki|tamamen|bambaska|bundan|ondan|\w{2,12}[dt][iu]g[iu]\w{0,2}|\w{2,12}[ae]yan) ayri\b",
    rf"ayri (?:bir )?{_MATTER}",
    r"(?:bu|o) o degil\b",
    r"(?:ilgisi|alakasi) yok\b",
    r"unrelated\b",
    r"(?:a )?(?:different|separate) (?:thing|matter|issue|from|to)\b",
    r"not the same\b",
)
_CORRECTS = (
    r"yanlis yaz\w{2,7}",
    r"duzeltme\b",
    r"duzeltiyorum\b",
    r"(?:bir |0 )?sifir\w{0,2} (?:unut|eksik|fazla yaz)\w{2,6}",
    r"correction\b",
    r"typo\b",
    r"i meant\b",
    r"mistyped\b",
)
_ROUGHLY = (
    r"(?:kusur|civari\w{0,3}|yaklasik|yakin|asagi yukari|takriben)\b",
    r"(?:around|roughly|nearly|almost|approximately|ungefahr|rund|some)\b",
    r"(?:hundred|thousand|twenty|thirty|forty|fifty)(?:[ -]\w{2,8})?[ -]odd\b",
)


def _any(phrases: tuple[str, ...]) -> str:
    return rf"\b(?:{'|'.join(phrases)})"


_CUES = {
    "resend": _any(_RESEND),
    "still": _any((r"hala\b", r"halen\b", r"still\b", "noch (?:immer|nicht)")),
    "anew": _any(_ANEW),
    "another": _any(_ANOTHER),
    "solved": _any(_SOLVED),
    "dropped": _any(_DROPPED),
    "reopen": _any(_REOPEN),
    "kin": _any(_KINDRED),
    "wish": _any(_WISH),
    "vague": _any(_VAGUE),
    "settled": "|".join((_any(_SETTLED), *_SETTLED_ELSEWHERE)),
    "chase": _any(_CHASE) + "|третий|до сих пор|жду|منذ|ещe не",
    "unheard": _any(_UNHEARD) + "|никто|ответа",
    "wrote": _any(_WROTE) + "|повторяю|писал|еще раз|опять я|كتبت",
    "thanks": _any(
        (r"(?:tesekkurler|sag ?ol\w{0,4}|saol\w{0,4}|eyvallah|sukur|thanks|thank you|cheers|danke)\b",)
    )
    + "|спасибо|شكرا",
    "but": _any((rf"{_BUT}\b",)),
    "now": _any((r"(?:simdi|artik|su an|now|jetzt|nun)\b",)) + "|теперь|сеичас|الان",
    "today": _any(_TODAY) + "|сегодня|اليوم",
    "too": _any(_TOO) + "|тоже|ايضا",
    "other": _any(_OTHER),
    "refused": _any(_REFUSED) + "|отклон|отказ|رفض",
    "shout": r"!!",
    "apart": _any(_APART),
    "corrects": _any(_CORRECTS),
    "roughly": _any(_ROUGHLY),
}
_NAMES = tuple(_CUES)


def _set(patterns: Iterable[str]) -> Any:
    """All patterns as one automaton, which reads a text once."""
    found = re2.Set.SearchSet()
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


_SET = _set(_CUES.values())


def cues_of(folded: str) -> set[str]:
    """The cues in a folded text, by the names in `Trace.cues`."""
    return {_NAMES[place] for place in _SET.Match(folded.encode("utf-8", "replace")) or ()}


_DEED = re.compile(
    r"(gel|gec|yat|acil|kapan|yatir|kaydet|bozdur|oden|onaylan|duzel|calis|yuklen|kapat|tanimlan|yansi|cevir|ekle"
    r"|sonuclan|ulas|baglan|goster|gorun|birak)"
    r"(?:(?:[aeiuy]{1,2})?(?P<none>m[ae](?:di|mis|y[ae][nc]|yin|z)|m[iu]y|m[ae]$)"
    r"|[dt][iu](?:m|k|n|niz|nuz|lar|ler|ydi)?$|(?:[ieau]|[iea]r)?m[iu]s|[iuea]?yor)"
)


@lru_cache(maxsize=1 << 14)
def deed_of(word: str) -> str:
    """What a folded Turkish verb says came or was done ("gel+" for geldi), or did not or could not ("gel-")."""
    found = _DEED.match(word)
    if not found or (found[1] in _SLOW and word.endswith("yor")):
        return ""  # what opens, if slowly, has not been mended
    return f"{found[1]}{'-' if found['none'] else '+'}"


_SLOW = ("acil", "calis", "yuklen")
