#!/usr/bin/python3
"""Makes a believable resource map of the four cities from a seed: one CSV per city, as `lianxi import resources` reads it.

Same seed, same bytes. Persons' names are drawn from lists of surnames and given names; telephone numbers begin with a zero
behind the area code, as no line does; GB/T 38565 codes are right in their first digit (class) alone.
"""
import argparse
import csv
import math
import pathlib
import random
import tomllib

COLUMNS = ("id type name owner place address lon lat datum capabilities state quantity unit capacity occupancy "
           "supply_code contact phone").split()
CONFIG = pathlib.Path(__file__).resolve().parent.parent
PER_COUNTY = {"team": 11, "expert": 9, "supply": 30, "equipment": 18, "shelter": 24, "site": 12}

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN_ONE = "伟芳敏静强磊军洋勇艳杰涛明超平刚辉鹏华亮斌波"
GIVEN_TWO = ["建国", "志强", "晓东", "海燕", "文斌", "国平", "永福", "水根", "春生", "秀兰", "立新", "俊杰", "红梅", "小明", "家豪", "雪峰",
             "卫东", "金花", "正华", "宏伟", "少华", "丽萍", "长青", "德胜", "云飞", "天佑", "思远", "浩然", "子轩", "雨晴"]

# name pattern, capabilities, strength from..to
TEAMS = [
    ("{county}综合应急救援队", "fire;flood;evacuation", 20, 60),
    ("{county}消防救援大队{town2}站", "fire;foam;collapse", 15, 45),
    ("{county}森林消防队", "forest-fire", 20, 60),
    ("{county}防汛抗旱应急抢险队", "flood;pump", 20, 50),
    ("{town}综合应急救援队", "fire;flood;evacuation", 10, 25),
    ("{town}半专业森林扑火队", "forest-fire", 15, 30),
    ("{county}蓝天救援队", "water-rescue;mountain-rescue;volunteer", 12, 40),
    ("{county}人民医院紧急医学救援队", "medical", 8, 20),
    ("{county}电力应急抢修队", "power", 10, 30),
    ("{county}公路应急抢通队", "road", 12, 35),
    ("{town}民兵应急排", "flood;evacuation;forest-fire", 25, 35),
]
MORE_TEAMS = [
    ("{county}山地救援分队", "mountain-rescue", 8, 20), ("{county}无人机应急侦察分队", "drone;communications", 4, 10),
    ("{county}应急通信保障队", "communications", 5, 12), ("{county}矿山救护中队", "mine-rescue;collapse", 15, 30),
]
# Where the chemical industry is, and across whose borders its teams would be called: name, county, lon, lat (GCJ-02), strength,
# more capabilities.
HAZMAT_TEAMS = [
    ("衢江区危化品应急救援队", "330803", 118.968, 28.948, 24, "decontamination"),
    ("巨化消防应急救援队", "330802", 118.862, 28.893, 68, "foam;fire;decontamination"),
    ("衢州智造新城危化品处置专业队", "330802", 118.895, 28.905, 32, "foam"),
    ("江山市危化品应急救援分队", "330881", 118.641, 28.752, 18, ""),
    ("龙游县危化品应急救援分队", "330825", 119.190, 29.041, 16, "decontamination"),
    ("常山县危化品槽车处置队", "330822", 118.531, 28.889, 14, ""),
    ("黄山市危化品应急救援队", "341002", 118.301, 29.701, 26, "decontamination"),
    ("休宁县危化品应急处置分队", "341022", 118.211, 29.741, 12, ""),
    ("徽州区循环经济园消防救援队", "341004", 118.322, 29.842, 30, "foam;fire"),
    ("歙县危化品应急救援分队", "341021", 118.452, 29.851, 14, ""),
    ("浦城县危化品应急救援队", "350722", 118.544, 27.931, 20, "decontamination"),
    ("浦城县盘亭危化品处置分队", "350722", 118.573, 28.196, 12, ""),
    ("邵武市金塘园区危化品应急救援队", "350781", 117.521, 27.301, 36, "foam;decontamination"),
    ("延平区化工园区应急救援队", "350702", 118.161, 26.651, 28, "foam"),
    ("玉山县危化品应急救援队", "361123", 118.251, 28.681, 18, "decontamination"),
    ("广丰区危化品应急救援分队", "361103", 118.204, 28.452, 16, ""),
    ("上饶市危化品应急救援支队", "361102", 117.985, 28.452, 40, "foam;decontamination"),
    ("德兴市硫化工应急救援队", "361181", 117.601, 28.951, 30, "mine-rescue"),
    ("万年县危化品应急救援队", "361129", 117.081, 28.704, 14, ""),
]
EXPERTS = [
    ("危险化学品", "hazmat"), ("氟硅材料安全", "hazmat"), ("矿山安全", "mine-rescue"), ("地质灾害", "collapse"), ("水利工程", "flood"),
    ("森林防火", "forest-fire"), ("急诊医学", "medical"), ("环境监测", "monitoring"), ("桥梁隧道", "road"), ("电力系统", "power"),
    ("应急通信", "communications"), ("特种设备", "hazmat"), ("气象", "flood"), ("建筑结构", "collapse"),
]
TITLES = ["高级工程师", "正高级工程师", "教授", "主任医师", "研究员", "注册安全工程师"]
# name, unit, from..to, code, capability
SUPPLIES = [
    ("防汛沙袋", "只", 2000, 40000, "3010101", "flood"), ("草包麻袋", "只", 3000, 30000, "3010102", "flood"),
    ("救生衣", "件", 50, 1200, "2030101", "water-rescue"), ("救生圈", "只", 30, 400, "2030102", "water-rescue"),
    ("土工布", "平方米", 500, 12000, "3010203", "flood"), ("块石", "吨", 200, 5000, "3010301", "flood"),
    ("森林防火蓄水桶", "只", 60, 900, "2020401", "forest-fire"), ("灭火水枪", "把", 20, 300, "2020402", "forest-fire"),
    ("阻燃服", "套", 20, 260, "2020501", "fire"), ("泡沫灭火剂", "吨", 1, 60, "2020601", "foam"),
    ("抗溶性泡沫液", "吨", 1, 40, "2020602", "foam;hazmat"), ("干粉灭火剂", "吨", 1, 30, "2020603", "hazmat"),
    ("重型防化服", "套", 4, 60, "2040101", "hazmat"), ("正压式空气呼吸器", "套", 8, 120, "2040102", "hazmat;fire"),
    ("防毒面具", "套", 20, 400, "2040103", "hazmat"), ("吸附棉", "公斤", 50, 3000, "2040201", "hazmat"),
    ("纯碱", "吨", 2, 80, "2040202", "hazmat;decontamination"), ("消石灰", "吨", 3, 120, "2040203", "decontamination"),
    ("片碱", "吨", 1, 30, "2040204", "decontamination"), ("堵漏工具", "套", 1, 20, "2040301", "hazmat"),
    ("棉被", "床", 100, 3000, "1010101", ""), ("折叠床", "张", 50, 1500, "1010102", ""), ("毛毯", "条", 80, 2000, "1010103", ""),
    ("帐篷", "顶", 20, 600, "1010201", ""), ("瓶装饮用水", "箱", 100, 5000, "1020101", ""), ("方便食品", "箱", 80, 3000, "1020102", ""),
    ("大米", "吨", 2, 120, "1020103", ""), ("急救包", "套", 50, 800, "1030101", "medical"), ("担架", "副", 10, 120, "1030102", "medical"),
    ("医用口罩", "只", 5000, 200000, "1030103", "medical"), ("应急照明灯", "台", 10, 200, "2050101", "power"),
    ("铁锹", "把", 100, 1500, "3020101", "flood"), ("钢丝绳", "米", 200, 4000, "3020102", "road"), ("柴油", "吨", 1, 40, "3030101", "power"),
]
# name, unit, from..to, capability
EQUIPMENT = [
    ("泡沫消防车", "辆", 1, 4, "foam;fire;hazmat"), ("水罐消防车", "辆", 1, 6, "fire"), ("举高喷射消防车", "辆", 1, 2, "fire;hazmat"),
    ("化学事故抢险救援车", "辆", 1, 2, "hazmat"), ("洗消车", "辆", 1, 2, "decontamination"), ("远程供水系统", "套", 1, 2, "fire;pump"),
    ("排涝泵车", "辆", 1, 5, "pump;flood"), ("移动排水泵", "台", 2, 24, "pump;flood"), ("冲锋舟", "艘", 1, 12, "water-rescue"),
    ("橡皮艇", "艘", 2, 20, "water-rescue"), ("柴油发电机", "台", 1, 16, "power"), ("应急电源车", "辆", 1, 3, "power"),
    ("挖掘机", "台", 1, 10, "road;collapse"), ("装载机", "台", 1, 8, "road"), ("汽车起重机", "台", 1, 4, "collapse"),
    ("灭火无人机", "架", 1, 6, "drone;forest-fire"), ("侦察无人机", "架", 1, 8, "drone"), ("风力灭火机", "台", 5, 60, "forest-fire"),
    ("高压细水雾灭火机", "台", 2, 30, "forest-fire"), ("卫星电话", "部", 2, 20, "communications"), ("应急通信车", "辆", 1, 2, "communications"),
    ("生命探测仪", "台", 1, 6, "collapse"), ("有毒气体检测仪", "台", 2, 24, "hazmat;monitoring"), ("负压救护车", "辆", 1, 4, "medical"),
    ("大气环境监测车", "辆", 1, 2, "monitoring"),
]
SHELTERS = [("{town}中心小学避灾安置场所", 120, 600), ("{town}初级中学避灾安置场所", 200, 1200), ("{town}文化礼堂避灾安置点", 60, 260),
            ("{town}敬老院避灾安置点", 40, 120), ("{county}体育馆应急避难场所", 800, 3000), ("{county}第{n}中学应急避难场所", 400, 2400),
            ("{town}村级避灾安置点({n}号)", 30, 160)]
SITES = [("{town}{n}号尾矿库", "尾矿库", "mine-rescue"), ("{county}{n}号危化品储罐区(重大危险源)", "重大危险源", "hazmat"),
         ("{town}山洪灾害易发点{n}", "山洪易发点", "flood"), ("{town}地质灾害隐患点{n}", "地质灾害隐患点", "collapse"),
         ("{town}{n}号水库", "水库", "flood"), ("{county}加油加气站{n}", "加油加气站", "hazmat"), ("{town}林区高火险点{n}", "高火险林区", "forest-fire"),
         ("{town}低洼易涝点{n}", "易涝点", "pump")]


class Maker:
    def __init__(self, seed, city):
        self.city = city
        # A city's own stream: a change in one city leaves the others' rows as they were.
        self.random = random.Random(f"{seed}/{city['code']}")
        self.rows = []
        self.numbers = {}

    def person(self):
        r = self.random
        given = r.choice(GIVEN_TWO) if r.random() < 0.75 else r.choice(GIVEN_ONE)
        return r.choice(SURNAMES) + given

    def phone(self):
        return f"{self.city['area_code']}-0{self.random.randrange(10**6):06d}"

    def near(self, seat, reach_km):
        """A point around the seat, denser towards it."""
        distance = reach_km * self.random.random() ** 1.5
        bearing = self.random.uniform(0, 2 * math.pi)
        lat = seat[1] + distance * math.cos(bearing) / 111.2
        lon = seat[0] + distance * math.sin(bearing) / (111.2 * math.cos(math.radians(seat[1])))
        return round(lon, 6), round(lat, 6)

    def state(self):
        return self.random.choices(["available", "deployed", "reserved", "out_of_service"], [88, 5, 3, 4])[0]

    def add(self, county, kind, name, **more):
        key = (county["code"], kind)
        self.numbers[key] = self.numbers.get(key, 0) + 1
        lon, lat = more.pop("at", None) or self.near(county["seat"], 16)
        row = dict.fromkeys(COLUMNS, "")
        row.update(id=f"{county['code']}-{kind}-{self.numbers[key]:03d}", type=kind, name=name, place=county["code"], lon=lon, lat=lat,
                   datum="GCJ02", state=self.state(), contact=self.person(), phone=self.phone(),
                   owner=f"{county['name']}应急管理局", address=f"{self.city['name_zh']}{county['name']}")
        row.update(more)
        self.rows.append(row)

    def fill(self, pattern, county):
        r = self.random
        return pattern.format(county=county["name"], town=r.choice(county["towns"]), town2=r.choice(county["towns"])[:-1], n=r.randrange(1, 30))

    def unique(self, pattern, county, taken):
        for _ in range(60):
            name = self.fill(pattern, county)
            if name not in taken:
                taken.add(name)
                return name
        name = f"{name}({len(taken)})"
        taken.add(name)
        return name

    def county(self, county):
        r, taken = self.random, set()
        for name, code, lon, lat, strength, more in HAZMAT_TEAMS:
            if code == county["code"]:
                self.add(county, "team", name, at=(lon, lat), capabilities=";".join(filter(None, ["hazmat", more])), quantity=strength,
                         unit="人", state="available")
                taken.add(name)
        patterns = TEAMS + [r.choice(MORE_TEAMS)]
        for pattern, capabilities, low, high in patterns[:PER_COUNTY["team"] + 1]:
            self.add(county, "team", self.unique(pattern, county, taken), capabilities=capabilities, quantity=r.randint(low, high), unit="人")
        for _ in range(PER_COUNTY["expert"]):
            field, capability = r.choice(EXPERTS)
            name = self.person()
            self.add(county, "expert", f"{name}({field}·{r.choice(TITLES)})", capabilities=capability, quantity=1, unit="人", contact=name,
                     owner=f"{self.city['name_zh']}应急管理专家库")
        for name, unit, low, high, code, capability in r.sample(SUPPLIES, PER_COUNTY["supply"]):
            store = r.choice(county["towns"])
            quantity = r.randint(low, high)
            if unit == "吨" and r.random() < 0.4:
                quantity += r.choice([0.25, 0.5, 0.75])
            self.add(county, "supply", f"{name}({store}物资储备点)", capabilities=capability, quantity=quantity, unit=unit, supply_code=code,
                     address=f"{self.city['name_zh']}{county['name']}{store}物资储备点")
        for name, unit, low, high, capability in r.sample(EQUIPMENT, PER_COUNTY["equipment"]):
            self.add(county, "equipment", f"{county['name']}{name}", capabilities=capability, quantity=r.randint(low, high), unit=unit)
        for _ in range(PER_COUNTY["shelter"]):
            pattern, low, high = r.choice(SHELTERS)
            capacity = r.randint(low, high) // 10 * 10
            self.add(county, "shelter", self.unique(pattern, county, taken), capabilities="evacuation", quantity=1, unit="处",
                     capacity=capacity, occupancy=r.randint(0, capacity // 10) if r.random() < 0.1 else 0)
        for _ in range(PER_COUNTY["site"]):
            pattern, what, capability = r.choice(SITES)
            self.add(county, "site", self.unique(pattern, county, taken), capabilities=capability, quantity=1, unit="处", state="available",
                     owner=f"{county['name']}{what}包保责任人")


def make(folder, seed):
    """Writes <folder>/<city>.csv for every city; returns {city: number of rows}."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cities = tomllib.loads((CONFIG / "places.toml").read_text(encoding="utf-8"))["city"]
    known = tomllib.loads((CONFIG / "capabilities.toml").read_text(encoding="utf-8"))["capabilities"]
    counts = {}
    for city in cities:
        maker = Maker(seed, city)
        for county in city["county"]:
            maker.county(county)
        unknown = {word for row in maker.rows for word in row["capabilities"].split(";")} - {*known, ""}
        if unknown:
            raise ValueError(f"not in capabilities.toml: {', '.join(sorted(unknown))}")
        with open(folder / f"{city['code']}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(maker.rows)
        counts[city["code"]] = len(maker.rows)
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="build/demo/resources", help="folder of the CSV files")
    parser.add_argument("--seed", default="20201109")
    arguments = parser.parse_args()
    for code, count in make(arguments.out, arguments.seed).items():
        print(f"{code}: {count} resources")
