"""Who says to be under 18, who only seems to, and reports about minors."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import age
from router.rules import plain_words

UNDER = [
    "ben 17 yaşındayım", "on altı yaşındayım", "16 yım", "daha 17yim", "16'yım ben", "yaşım 15", "yasim tutmuyo",
    "henüz 18 olmadım", "18 yaşını doldurmadım", "reşit değilim", "18 yaşından küçüğüm", "17 yaşıma girdim diye",
    "lise 2. sınıf öğrencisiyim", "9. sınıfa gidiyorum", "liseye gidiyorum", "ortaokul öğrencisiyim", "liseliyim",
    "2011 doğumluyum", "doğum yılım 2010", "18'e 3 ay var", "reşit olmama 2 ay var", "17 buçuk yaşındayım",
    "ben on yedi yaşındayım", "müşteri 16 yaşında olduğunu söyledi", "yaşım yetmiyor",
    "im 16 and i cant verify", "I am 17 years old", "I'm only fifteen", "i am under 18", "im a minor", "I'm not 18 yet",
    "I'm a 10th grade student", "i was born in 2012", "turning 18 next month", "my age is 16", "as a 16 year old",
    "ich bin 16 jahre alt", "мне 15 лет", "my age is not enough",
]  # fmt: skip
NOT_UNDER = [
    "18 yaşındayım", "45 yaşındayım", "yirmi bir yaşındayım", "on sekiz yaşındayım", "18 yaşını doldurdum",
    "hesabım 17 aylık", "16 yıldır üyeyim", "17 gündür bekliyorum", "17. seviyedeyim", "17 yaşımdan beri kullanırım",
    "16 yaşındayken bilgisayar kullanıyordum", "17 bin lira", "oğlum 16 yaşında, düğünü var", "17'ye oynadım",
    "2010 yılından beri üyeyim", "1998 doğumluyum", "12. turda kaldım", "masa 16", "saat 17 de yatırdım",
    "lise mezunuyum",
    "öğretmenim, 9. sınıf okutuyorum", "17 yaşında değilim, 40 yaşındayım", "16 TL", "oranı 16 idi",
    "since I was 17", "when i was 16", "I'm 16 days waiting", "i am 15 minutes on hold", "level 17",
    "i'm 17 years a member",
    "im 41", "my account is 17 months old", "born in 1990", "i won 17 times", "im 16 euros short", "i am 18",
]  # fmt: skip


DAY = datetime.fromisoformat("2026-03-03")
# As people write it, with the day of the message
SAID = [
    ("2026-04-02", "kanka bn daha on beşim, babamın tc siyle açtım hesabı çekim yapamıyom"),
    ("2026-05-10", "Nüfus cüzdanımda 2009 yazıyor diye çekimi onaylamadınız, yatırırken niye sormadınız"),
    ("2026-03-11", "8/B'deyim, beden dersinde arkadaşla kupon yaptık tuttu, parayı alamıyoruz"),
    ("2026-10-03", "anadolu lisesi hazırlıktayım hocam, papara hesabı da annemin, sorun olur mu"),
    ("2026-02-03", "Merhaba, reşit olmama daha yedi ay olduğundan hesabım kapatılmış, paramı geri istiyorum"),
    ("2026-11-30", "doğum tarihim 21.12.2008, bugün neden doğrulamadan geçemiyorum?"),
    ("2026-06-06", "ehliyet yaşım gelmedi daha, kimlik yerine öğrenci kartı atsam kabul mü"),
    ("2026-01-09", "abi 16lıyım ya ne olcak sanki, bi kere çekim yapayım kapatın sonra"),
    ("2026-08-08", "YAŞIM ON ALTI AMA HERKES OYNUYOR BENİ NEDEN ENGELLEDİNİZ"),
    ("2026-03-19", "Arayan kişi 10. sınıf öğrencisi olduğunu söyledi, abisinin hesabıyla bahis yapmış."),
    ("2026-07-01", "müşteri telefonda 2010 doğumlu olduğunu belirtti, hesabın kapatılacağı anlatıldı"),
    ("2026-07-20", "lgs ye girdim bu sene, kazandığım para ile bilgisayar alcaktım vermiyosunuz"),
    ("2026-02-14", "daha 18 yaşıma basmadım evet ama kupon benim kuponum, 900 lirayı isterim"),
    ("2026-05-05", "ok so i lied, im actually in year 11 and used my nans card, can you just refund it"),
    ("2026-03-03", "my dob is 14/09/2009, why does it say not eligible when i try to cash out"),
    ("2026-06-21", "i wont be eighteen until october but the winnings are real so pay them"),
    ("2026-09-09", "its my sisters acc bc im too young for one, anyway the bonus didnt come"),
    ("2026-11-11", "sophomore in hs here, won 300 on the parlay and u locked me out??"),
    ("2026-04-28", "Caller admitted she is sixteen and has been using her uncle's details."),
    ("2026-08-30", "born march 2010, so what, the game took my money same as anyone's"),
    ("2026-12-01", "yo im fifteen n a half, mum says you owe us the deposit back"),
    ("2026-02-20", "i'm in ss3, preparing for waec, and my withdrawal of 5000 naira is pending"),
    (
        "2026-03-08",
        "Ich gehe in die 10. Klasse und hab mit dem Ausweis von meinem Cousin gespielt, krieg ich das "
        "Geld?",
    ),
    ("2026-01-30", "werde erst im Mai volljährig, könnt ihr die Auszahlung so lange aufheben"),
    ("2026-06-30", "hab am 4. Juli 2009 Geburtstag, Verifizierung geht nicht"),
    ("2026-10-10", "мне семнадцать, через два месяца будет восемнадцать, вывод можно?"),
    ("2026-02-02", "учусь в девятом классе, аккаунт на маму, верните деньги"),
    ("2026-05-16", "мне ещё нет восемнадцати, но деньги-то мои, верните"),
    ("2026-04-04", "أنا عمري ١٦ سنة وربحت ٢٠٠ ليرة وما عم تعطوني ياها"),
    ("2026-09-29", "انا طالب بالصف العاشر ولعبت بحساب اخوي وبدي مصاري"),
    ("2026-05-05", "bende 15 im noolcak, siz parami verin yeter"),
    ("2026-09-15", "okuldan eve gelince baktım hesap kilitli, 7ye geçtim bu sene ödül olarak dayım açmıştı"),
    ("2026-02-02", "Yaşım tutmadığı için teyzemin adına kayıtlıyım, şifreyi sıfırlar mısınız?"),
    ("2026-04-04", "ikibindokuz doğumluyum diye kapattınız, 2009 kazık mı"),
    ("2026-05-09", "Kimlik kartımda doğum tarihi 03.07.2010, selfie çektim neden olmuyor"),
    ("2026-03-09", "18ime 5 hafta kaldı, o zamana kadar bonusu saklayın"),
    ("2026-03-30", "Fen lisesi 11. sınıf öğrencisiyim. Burs paramı yatırdım, kaybettim."),
    ("2026-11-03", "endüstri meslekteyim elektrik bölümü 10. sınıf, kuponum niye iptal"),
    ("2026-07-07", "valla on altı buçuk yaşındayım ama boyum 1.90 kimse sormuyo"),
    ("2026-10-01", "Aralıkta 18 olucam, ondan sonra mı çekebiliyorum parayı"),
    ("2026-04-15", "sınıftakiler 8. sınıf hepimiz oynuyoruz, bi benim kuponum yanlış sonuçlandı"),
    ("2026-06-18", "yaşımı büyük yazdım aslında 14, itiraf edeyim dedim hesabımı silin"),
    ("2026-06-18", "Müşteri lise öğrencisi olduğunu, doğum yılını değiştirerek üye olduğunu ifade etti."),
    ("2026-03-26", "matematik sınavından çıktım 6/C, kanka hesaba girilmiyo"),
    ("2026-01-26", "reşit olmama on bir ay kaldı, o zaman gelsem paramı verir misiniz"),
    ("2026-03-26", "dear sir i am a boy of 16 years from Lagos, my coupon enter but no pay"),
    ("2026-01-12", "turning eighteen in march, can i get verified already"),
    ("2026-05-12", "honestly im 3 months off 18, whats the big deal, release my 80 quid"),
    ("2026-05-12", "i'm a Year 12 and my mates all use it, why was only mine blocked"),
    ("2026-05-12", "ok you got me. real birthday 5 feb 2010. can i have the deposit back"),
    ("2026-05-12", "cant legally gamble for another two years but u let me sign up lol so pay"),
    ("2026-05-12", "my age is fourteen, uncle open for me account, now not open"),
    ("2026-10-12", "in 9th grade rn and someone from my class stole my login"),
    (
        "2026-10-12",
        "Customer said he was born in 2009 and asked to have the account removed before his parents "
        "notice.",
    ),
    ("2026-10-12", "ich bin erst siebzehn, meine Schwester hat mich angemeldet, wie komm ich da raus"),
    ("2026-10-12", "Bin noch nicht alt genug, hab Papas Daten genommen, bitte Konto löschen"),
    ("2026-10-12", "я в десятом классе, выиграл 3000, почему просят паспорт родителей"),
    ("2026-10-12", "мне 16, паспорт есть, чем не документ, верификация отказана"),
    ("2026-10-12", "لسه ما كملت 18 بس باقي شهرين، احتفظوا بالربح"),
    ("2026-10-12", "عمري خمسة عشر سنة وابوي ما يدري، سكروا الحساب"),
    ("2026-05-05", "kardeşim bak ben 2011'liyim bana ne kumardan ama arkadaş soktu, çıkmak istiyorum"),
    ("2026-05-05", "babam duyarsa öldürür, 15 yaşındaki bi çocuğun parasını yemeyin"),
    ("2026-05-05", "Ben bir ortaokul öğrencisiyim, çarktan çıkan ödülü neden alamıyorum?"),
    ("2026-05-05", "yaş 16 boy 180, babamın ehliyetiyle kayıt oldum tutmadı"),
    ("2026-09-20", "lise birdeyim, yaz tatilinde garsonluk yapıp biriktirdiğim 3000i yatırdım gelmedi"),
    ("2026-05-05", "daha oy bile kullanamıyorum yaşımdan ama sizde oynayabildim, iade edin o zaman"),
    ("2026-05-05", "doğum gününe göre 17 yaş 4 aylığım, hesap neden askıda?"),
    ("2026-09-20", "şimdi 11'e geçtim, yazın çok oynadım borca girdim annemin kartıyla"),
    ("2026-05-05", "on yedi yaş için de hesap olmalı bence, ben çünkü on yediyim"),
    ("2026-05-05", "reşit değilsem niye paramı aldınız? 2 Kasım 2009 doğumluyum işte"),
    ("2026-05-05", "MÜŞTERİ 17 YAŞINDA OLDUĞUNU İFADE ETTİ, BABASI ADINA HESAP"),
    ("2026-05-05", "Arayan, doğum yılının 2010 olduğunu söyleyince görüşme sonlandırıldı."),
    ("2026-05-05", "kimligimi henuz yenilemedim foto cocukluk fotosu, yas 15 ya"),
    ("2026-05-05", "i'm literally a child lol, 13, how did your age check even pass me"),
    ("2026-05-05", "please sir am 17 years old boy from accra, help me withdraw"),
    ("2026-05-05", "wont be 18 for another 5 weeks but already won 90, hold it pls"),
    ("2026-05-05", "after school i check my bets, teacher caught me, yeah i'm in year 9, whatever. pay me"),
    ("2026-05-05", "DOB 22.10.2008 as on my passport. your system says not eligible"),
    ("2026-05-05", "i used a fake birth year when signing up (real one is 2010)"),
    ("2026-05-05", "still doing my GCSEs so dont have a driving licence, is a school id ok"),
    ("2026-05-05", "She disclosed that she is 16 and still at school; account in her aunt's name."),
    ("2026-05-05", "Bin in der Neunten und hab über Opas Konto gewonnen"),
    ("2026-05-05", "ich werde im Herbst 17, darf ich dann schon wetten oder nicht"),
    ("2026-05-05", "мне четырнадцать, паспорт только получил, а вы пишете не подходит"),
    ("2026-05-05", "انا من مواليد ٢٠١٠ ليش ما تقبلو الهوية"),
    ("2026-05-05", "moruk 17yim ya az kaldı işte ne olur ödesen"),
    ("2026-05-05", "okulda telefon yasak diye öğlen kupon yapıyorum, 10-C sınıfından herkes sizde, bonusum gelmedi"),
    ("2026-05-05", "Babam 'oğlum 18 olana kadar çekemezsin' dedi, doğru mu?"),
    ("2026-05-05", "anneme kimlik çıkartıcaz 15 yaş fotoğraflısı, o gelince doğrulama olur mu"),
    ("2026-05-05", "iki bin onluyum ama matematikte iyiyim, oran hesabınız yanlış"),
    ("2026-05-05", "16 yaşımı yeni bitirdim, bankam çocuk hesabı diyor kabul etmiyor"),
    ("2026-05-05", "17 yaşındayım ama görsen 25 dersin, kuponumu verin"),
    ("2026-08-20", "Ben 2008 Eylül doğumluyum, bugün itibarıyla üye olabilir miyim?"),
    ("2026-05-05", "lise talebesi adamın 300 lirasına çökmeyin, ayıp"),
    ("2026-05-05", "ya 18e 2 ay var diye 4 bin lirayı mı yakcaksınız"),
    ("2026-05-05", "yarın 17me giriyorum hediye bonus var mı"),
    ("2026-05-05", "14 yasndym amcm adna hesp"),
    ("2026-05-05", "yaşımdan küçük gösteriyorum diyemicem gerçekten 16"),
    (
        "2026-05-05",
        "Temsilci notu: ses çocuk sesi, sorulunca 9. sınıfa gittiğini söyledi, babasının kartı "
        "kullanılmış.",
    ),
    ("2026-05-05", "is it true u can play at 16 in some countries? asking bc im that age and got blocked"),
    ("2026-05-05", "I'm a junior in high school and used my brother's license. Withdrawal?"),
    ("2026-05-05", "i will complete 18 years in december only, till then keep my amount safe"),
    ("2026-05-05", "lol ur kyc wants a drivers licence, i cant even drive yet im 15"),
    ("2026-05-05", "my mother doesnt know i play. she thinks i do homework. i lost her 200, im in grade eight"),
    ("2026-05-05", "was born 2011, dad registered, i play. now says limit"),
    ("2026-05-05", "User stated age 15 during chat, then corrected it to 19."),
    ("2026-05-05", "Ich bin Schülerin, 16, und habe das Konto meiner Mutter benutzt"),
    ("2026-05-05", "Jahrgang 2010 und trotzdem freigeschaltet, jetzt ist das Taschengeld weg"),
    ("2026-05-05", "18 werde ich erst im November, bitte Gewinn gutschreiben"),
    ("2026-05-05", "мне пока 17, день рождения в декабре, можно подождать с выводом?"),
    ("2026-05-05", "я 2010 года рождения, играл с телефона мамы"),
    ("2026-05-05", "я ещё в школе, 8 класс, верните деньги которые снял с карты бабушки"),
    ("2026-05-05", "عمري سبعطعش وبدي اسحب"),
    ("2026-05-05", "انا صف ثامن وخسرت كل مصروفي"),
    ("2026-05-05", "bn 16yaşndayım mail adresimi değiştirin"),
    ("2026-09-05", "lise 3e geçtim diye abim hesap açtı bana, şifre yanlış diyor"),
    ("2026-05-05", "doğum yılım 2009, hesabım onaylanmadı"),
    ("2026-05-05", "haftaya 17 yaşına basıyorum, doğum günü bonusu veriyor musunuz"),
    ("2026-05-05", "Yaşım küçük olduğundan annemin bilgileriyle üye oldum, çekim reddedildi"),
    ("2026-05-05", "ortaokuldan arkadaşlarla ortak kupon yaptık, sınıfça bekliyoruz, 7-A"),
    ("2026-05-05", "18 yaşıma girene kadar bekleyemem param lazım"),
    ("2026-05-05", "henüz on yedisindeyim ama param var"),
    ("2026-05-05", "Arayan şahıs 17 yaşında olduğunu, hesabı kuzeni üzerinden kullandığını beyan etti"),
    ("2026-05-05", "kimliğimde 12.12.2010 yazıyo sistem yaşı kabul etmiyo"),
    ("2026-05-05", "im 17 turning 18 in 2 days just let me in"),
    ("2026-05-05", "My date of birth is 12 June 2010 and you rejected my documents"),
    ("2026-05-05", "i am in tenth class, my deposit of 500 is stuck"),
    ("2026-05-05", "i know im underage but you took my money so give it back"),
    ("2026-05-05", "cant tell my parents. im 14 and i lost all my birthday money"),
    ("2026-05-05", "Caller is a 15 year old boy who used his father's card, very upset"),
    ("2026-05-05", "ich bin 17 und will mein geld zurück"),
    ("2026-05-05", "bin in der 9. klasse und mein konto wurde gesperrt"),
    ("2026-05-05", "мне 17 лет, почему заблокировали"),
    ("2026-05-05", "عمري 16 سنة وحسابي مسكر"),
]  # fmt: skip
LOOKS_LIKE_IT = [
    "17 kilo verdim stresten, çekimim 17 gündür yok",
    "Kimlikte 17 yazan hane seri numarası mı, formda neresi?",
    "Galatasaray'ın 17 yaşındaki kanat oyuncusu gol attı, bahsim neden kaybetti sayıldı",
    "Ben 15 yaşındayken İddaa bayisinde çıraktım, 40 yıldır bu işi bilirim, kuponum doğruydu",
    "Oğlum lise 3'te, dershane parasını buraya kaptırdım, yardım edin",
    "10. sınıf matematik öğretmeniyim, maaş günü çekim yapamadım",
    "2009 yılında üye olmuştum, 17 sene sonra hesabımı kapattınız",
    "kapı no 17 daire 15, adres belgesi bu, neden reddedildi",
    "Skor 16-17 iken canlı bahis kilitlendi, voleybol maçı",
    "Yaşım 52, çocuk muamelesi yapmayın, on beş dakikadır hattayım",
    "iki çocuğum var 17 ve 14 yaşında, evin kirasını kaybettim",
    "geçen ay 18 oldum, kimliğim elimde, neden kabul etmiyorsunuz",
    "15 yaşında çocuk gibi azarladı temsilciniz beni, 60 yaşında adamım",
    "müşteri 17 numaralı masada oynadığını, 16 TL eksik yattığını söyledi",
    "On altı kupondan on beşi tuttu, bir tanesi yanlış sonuçlanmış",
    "14.02.2009 tarihli üyeliğim var, 17 yıllık müşteriye bu yapılmaz",
    "been clean since I was 17 stone, now the app crashes at level 16",
    "I'm 17 down and you say the bonus needs 15 more spins?",
    "Your agent spoke to me like I was a 15-year-old. I am 63.",
    "I have lived in Germany 17 years and born in 1971, still you ask where I am from",
    "the 16-year-old tennis player retired hurt, my bet must be void",
    "my kids are 17 and 15 and I gambled their college money away",
    "I started at sixteen with the slots at the pier, forty years on I can't stop",
    "my son of 30 lives at 16 Form Street, year 2010 house, proof of address refused",
    "I teach year 10 and your ads play during their homework videos",
    "Ich bin 17 Jahre Kunde bei euch und warte 16 Tage auf die Auszahlung",
    "Mein Enkel ist 15 und hat mir die App erklärt, aber die Einzahlung klappt nicht",
    "я жду уже 17 дней, мне 45 лет, а не 15",
    "сыну 16 лет, помог мне написать, вывод не пришёл",
    "انتظر من ١٧ يوم والمبلغ ١٦ دولار ما وصل",
    "On yedi senelik müşteriyim, ben 17 lira için mi uğraşıyorum sanıyorsunuz",
    "kızım 9. sınıfta, okul taksidini kumara yatırdım, ne olur bana sınır koyun",
    "Ben lise ikideyken tanıştığım eşimle 17 yıldır evliyiz, o hesabı birlikte kullanıyoruz",
    "18 yaşımı dolduralı çok oldu evladım, 71 yaşındayım",
    "bonus 16 TL yattı ben 61 bekliyordum",
    "hesap 2009'da açıldı, 2009'dan beri tek kuruş çekmedim",
    "U17 maçında üst bahsim kaybetti gösteriyor, 3 gol oldu",
    "12'de yattım 4'te kalktım, 16 el oynadım 17. elde dondu",
    "15 yaşından küçüklere hitap eden reklamınızı kaldırın",
    "kimlikte 1987 yazıyor, siz 2008 görüyorsunuz, OCR hatanız var",
    "Üniversite 3. sınıfa geçtim, 21 yaşındayım, KYK yattı çekim yok",
    "lise arkadaşımın hesabı üzerinden yatırdığım para gelmedi, ikimiz de 35'iz",
    "müşteri 18 yaşında olduğunu ve ehliyetini yüklediğini söyledi",
    "oğlum 17sinde ehliyet peşinde, ben çekim peşinde, ikimiz de bekliyoruz",
    "yaş sınırı 18 mi 21 mi, merak ettim, ben 44",
    "reşit olduğum gün üye oldum, o günden beri sorun yoktu",
    "16'sında yatırdım, bugün ayın 19'u, hala yok",
    "when I was fifteen my dad took me to the dogs, happy days. now my cash out is stuck",
    "your chat bot asked if I was under 18, I'm old enough to be its grandad",
    "I turned 18 in 1994, stop asking",
    "the acca had 17 legs and 16 came in",
    "born and raised at 17 High School Lane, that's the address on the bill",
    "I am 16 months sober from slots and your emails keep coming",
    "my grade 10 students asked about betting ads, I'm writing as their teacher",
    "year 2010 account, year 9 of loyalty points, and you wiped them",
    "too young to retire, too old to wait 16 days for 200 quid",
    "Ich warte seit 17 Uhr, bin 54 und habe keine Lust mehr",
    "Meine Tochter, 9. Klasse, braucht das Tablet, aber eure App blockiert alles mit Werbung",
    "играю с 2010 года, мне за сорок, 17 ставок не рассчитаны",
    "ابني عمره ١٤ وانا عمري ٤٠، السحب متأخر ١٥ يوم",
    "Ben 2011'den beri sizdeyim, 15 yıllık üyeye bu muamele olmaz",
    "17 yaşında bir arabam var onu bile kumara yatırdım",
    "15'inde maaş yatınca ödeyecektim, siz 16'sında çektiniz",
    "On altıncı haftada oynanan derbide 17. dakikada gol oldu",
    "yaşım 67, torunum 12 yaşında benden iyi anlıyor bu telefondan",
    "lise mezunuyum ve 29 yaşındayım, başvurduğum iş ilanı duruyor mu",
    "sınıf arkadaşımla ortak hesap açmıştık üniversitede, şifre onda",
    "12/A nolu dairede oturuyorum, adres doğrulama neden geçmedi",
    "Çocuk gibi kandırıldım, 16 bin gitti",
    "yaşınız 18'den küçük diye mesaj geldi, 55 yaşındayım güldüm",
    "seviye 16, 17'ye geçmeme 40 puan kaldı, görev sayılmadı",
    "Müşteri 15 yaşından beri engelli olduğunu, 41 yaşında olduğunu belirtti.",
    "şubede 17 nolu sıradayım hala sıra gelmedi",
    "18 yaş üstü olduğumu kanıtlamam için daha kaç belge isteyeceksiniz",
    "my account turns 17 next month and not even a birthday bonus",
    "I've been treated like a 12-year-old by your chat agent",
    "backed the 16 horse at 17/1, settled as a loser",
    "im 15th in the leaderboard, should be 14th",
    "we were in year 9 together, he stole my account, that was 20 years ago",
    "I'm not too young to know a con, I'm 70",
    "i am under the weather and 17 pounds short",
    "im 17 and 0 on my last bets lol worst run ever",
    "Wir sind seit 16 Jahren verheiratet, bin 45, er verspielt alles",
    "выдали бонус 16 раз по 17 рублей, мне 33, не ребёнок",
    "انا عندي ١٧ ايصال تحويل وما وصل ولا واحد",
    "ben 17 numaralı koltuktaydım turnuvada, masa dağıldı",
    "17'sinde yatan para 18'inde iade edilmiş",
    "16 yaş grubu basketbol maçı bahsi niye açılmıyor",
    "15 yaşımdan beri çalışıyorum ben, alın terimi yediniz",
    "18 yaşını doldurmuş bir vatandaş olarak hakkımı arıyorum",
    "9. sınıf bir hizmet, 10. sınıf yalanlar",
    "kızım 11'e geçti, servis parasını slotta kaybettim utanıyorum",
    "okul müdürüyüm, reklamınız öğrenci servislerinde, kaldırın",
    "1708 ile biten kartıma 16.05 tarihinde iade yapılmış",
    "hesabımı 2008 model bilgisayardan açıyorum, site çok yavaş",
    "Müşteri 16:30'da aradığını, 17 dakika beklediğini söyledi",
    "kuponda 15 maç vardı 14ü tuttu bir tanesi ertelendi",
    "the boy wonder, 17, scored twice and my first scorer bet lost??",
    "I'm 16 behind on the leaderboard with 15 to play",
    "joined in 2010, born in 1980, never asked for ID until now",
    "my flat is 17b, grade II listed, bill attached",
    "at my age (66) I should know better than to lose 15 times in a row",
    "at sixteen you could bet in my day, now I'm 60 and you block me",
    "Mein Junge wird 17 und braucht ein Geschenk, darum will ich meinen Gewinn",
    "дочке 16, репетитор дорогой, а вы мой вывод держите 15 дней",
    "16 yaşındaki yeğenim gösterdi siteyi, ben 50 yaşındayım üye olamadım",
    "17 gündür 17 mail attım 17 kere reddettiniz",
    "lise yıllarımda kumarbaz değildim, şimdi 40ımda oldum",
    "bahis oranı 1.16 idi 1.15 yaptınız",
    "çocuğum 3. sınıfa gidiyor, beslenme parasını yatırdım utanıyorum",
    "I was 17 when my dad died of gambling debts, don't send me ads",
    "I'm 18 today! can I join now?",
    "the teenager at number 16 won, my bet on the 15 lost",
    "my class action lawyer says 15 days",
    "ich warte 17 tage, mein sohn ist 12 und fragt schon",
]  # fmt: skip


@pytest.mark.parametrize("text", UNDER)
def test_a_declared_minor_is_seen(text: str) -> None:
    """All the ways to say it: words, digits, school year, birth year, three languages and more."""
    assert age.read(plain_words(text), 2026).sender


@pytest.mark.parametrize("text", NOT_UNDER)
def test_look_alikes_are_no_minors(text: str) -> None:
    """Numbers under 18 that are no age, ages of others, and adults are not minors."""
    assert not age.read(plain_words(text), 2026).sender


@pytest.mark.parametrize(
    "text",
    [
        "16 yaşındaki oğlum kimliğimi kullanarak oynuyor",
        "kardeşim 15 yaşında sizde bahis yapıyor",
        "ortaokula giden çocuğum sizde hesap açabilmiş",
        "My 14 year old daughter has been playing on your site",
        "my son is only 15 and he opened an account",
        "reşit olmayan kızım: kızım reşit değil ama üye olmuş",
    ],
)
def test_reports_about_minors_are_no_declarations(text: str) -> None:
    """A relative who writes about a minor playing reports; the sender is not a minor."""
    found = age.read(plain_words(text), 2026)
    assert (found.reported, found.sender) == (True, False)


def test_a_child_that_does_not_play_is_no_report() -> None:
    """Naming a child's age alone is no report."""
    assert not age.read(plain_words("Oğlum 16 yaşında, ameliyatı var; para lazım"), 2026).reported


def test_two_ages_are_left_to_a_person() -> None:
    """Somebody who names an age under and one over 18 is not refused but looked at."""
    found = age.read(plain_words("17 yaşındayım yazıyor ama 35 yaşındayım"), 2026)
    assert (found.sender, found.unsure) == (False, True)


def test_the_birth_year_counts_from_the_message() -> None:
    """The same birth year is a minor, unsure, or an adult, by the date of the message."""
    plain = plain_words("2008 doğumluyum")
    assert age.read(plain, 2025).sender
    assert age.read(plain, 2026).unsure
    assert age.read(plain, 2027) == age.Age()


@pytest.mark.parametrize(("day", "text"), SAID)
def test_a_whole_message_of_a_minor_is_seen(day: str, text: str) -> None:
    """Messages of other hands: birth dates, classes, what is still to come, agents' notes; five languages."""
    assert age.read(plain_words(text), datetime.fromisoformat(day)).sender


@pytest.mark.parametrize("text", LOOKS_LIKE_IT)
def test_a_whole_message_that_only_looks_like_it_is_let_pass(text: str) -> None:
    """Days, levels, odds, addresses, children, pupils, players and youth long past make no minor of the sender."""
    assert not age.read(plain_words(text), DAY).sender


@pytest.mark.parametrize(
    "text",
    [
        "my son turned 16 in may and i found your app on his phone, logged in",
        "kızım 14'üne girdi, benim kartla sizde bahis oynuyor",
        "my lil bro gr 8 has his own login with you",
        "Caller says her nephew, who is in ninth class, plays roulette with an account of his grandfather",
        "7. sınıfa giden torunum hesabıma girip kupon yapmış",
        "мой племянник, ему четырнадцать, играет у вас по чужому счету",
    ],
)
def test_the_age_of_somebody_else_is_reported(text: str) -> None:
    """A child, pupil or nephew of that age who plays is a report and never the sender's own age."""
    found = age.read(plain_words(text), DAY)
    assert (found.reported, found.sender) == (True, False)


@pytest.mark.parametrize(
    ("day", "sender"),
    [("2026-12-10", True), ("2026-12-11", False), ("2027-01-01", False), ("2026-01-01", True)],
)
def test_a_date_of_birth_counts_to_the_day(day: str, sender: bool) -> None:
    """Somebody is 18 on the very day and not before."""
    assert age.read(plain_words("Doğum tarihim 11.12.2008"), datetime.fromisoformat(day)).sender == sender


@pytest.mark.parametrize(
    "text",
    [
        "Doğum yılım 2009 görünüyor, parmağım kaymış, 1990 doğumluyum",
        "yanlışlıkla 2017 doğumlu seçmişim, ben 1979'luyum",
    ],
)
def test_a_slip_of_the_finger_makes_no_minor(text: str) -> None:
    """A year of birth that is said to be wrong beside the right one is no declaration."""
    assert not age.read(plain_words(text), DAY).sender


def test_what_was_put_down_at_registration_is_no_second_age() -> None:
    """A minor who tells what he typed in when he joined is still a minor."""
    plain = plain_words("Doğum tarihim 14.09.2009, üye olurken 1998 yazmıştım")
    assert age.read(plain, DAY).sender


@given(st.text(alphabet=st.sampled_from("17 18yasinda:#~²٣१on bir 2008dogum lise \ud800 im"), max_size=300))
def test_nothing_in_a_text_makes_it_fail(text: str) -> None:
    """Whatever stands there, an age is read."""
    assert isinstance(age.read(f" {text} ", 2026), age.Age)
