-- A trading company's data in the shape of the TPC-H benchmark, made by Postgres itself. The same each time: every value is
-- a hash of its row's number. Tables go to the first schema of search_path.
--
--   select tpch_like(0.01)    60,000 order lines in a few seconds, 25 MB
--   select tpch_like(1)        6,000,000 order lines, 1.4 GB

create or replace function tpch_pick(key bigint, salt int, bound int) returns int
  language sql immutable parallel safe
  return (hashint8extended(key, salt) & 9223372036854775807) % bound;

create or replace function tpch_word(key bigint, salt int, words text[]) returns text
  language sql immutable parallel safe
  return words[1 + tpch_pick(key, salt, cardinality(words))];

create or replace function tpch_comment(key bigint, salt int) returns text
  language sql immutable parallel safe
  return concat_ws(' ',
    tpch_word(key, salt, '{quickly,slowly,carefully,boldly,quietly,never,always,rarely}'),
    tpch_word(key, salt + 1, '{packed,shipped,promised,special,late,early,pending,express}'),
    tpch_word(key, salt + 2, '{deposits,requests,parcels,accounts,ideas,packages,orders,letters}'),
    tpch_word(key, salt + 3, '{wait,sleep,travel,arrive,return,vanish,complain,rest}'),
    tpch_word(key, salt + 4, '{at the dock,under cover,near the harbour,along the road,in the yard,by night}'));

create or replace function tpch_like(scale numeric) returns void language plpgsql as $$
declare
  suppliers int := greatest(10, 10000 * scale);
  parts int := greatest(200, 200000 * scale);
  customers int := greatest(150, 150000 * scale);
  order_count int := greatest(1500, 1500000 * scale);
  colours text[] := '{almond,azure,beige,black,blue,brown,coral,cyan,forest,gold,green,grey,ivory,khaki,lime,maroon,navy,olive,orange,pink,plum,red,rose,tan,teal,white}';
begin
  create table region (r_regionkey int primary key, r_name text not null, r_comment text);
  create table nation (n_nationkey int primary key, n_name text not null, n_regionkey int not null, n_comment text);
  create table supplier (s_suppkey int primary key, s_name text not null, s_address text not null, s_nationkey int not null,
    s_phone text not null, s_acctbal numeric(15,2) not null, s_comment text not null);
  create table part (p_partkey int primary key, p_name text not null, p_mfgr text not null, p_brand text not null,
    p_type text not null, p_size int not null, p_container text not null, p_retailprice numeric(15,2) not null, p_comment text not null);
  create table partsupp (ps_partkey int, ps_suppkey int, ps_availqty int not null, ps_supplycost numeric(15,2) not null,
    ps_comment text not null, primary key (ps_partkey, ps_suppkey));
  create table customer (c_custkey int primary key, c_name text not null, c_address text not null, c_nationkey int not null,
    c_phone text not null, c_acctbal numeric(15,2) not null, c_mktsegment text not null, c_comment text not null);
  create table orders (o_orderkey int primary key, o_custkey int not null, o_orderstatus char(1) not null,
    o_totalprice numeric(15,2) not null, o_orderdate date not null, o_orderpriority text not null, o_clerk text not null,
    o_shippriority int not null, o_comment text not null);
  create table lineitem (l_orderkey int, l_partkey int not null, l_suppkey int not null, l_linenumber int, l_quantity numeric(15,2) not null,
    l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null, l_tax numeric(15,2) not null, l_returnflag char(1) not null,
    l_linestatus char(1) not null, l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null,
    l_shipinstruct text not null, l_shipmode text not null, l_comment text not null, primary key (l_orderkey, l_linenumber));

  insert into region select i, (array['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'])[i + 1], tpch_comment(i, 1) from generate_series(0, 4) i;
  insert into nation select i, (array['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA',
      'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA', 'SAUDI ARABIA', 'VIETNAM',
      'SPAIN', 'UNITED KINGDOM', 'UNITED STATES'])[i + 1],
    (array[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1])[i + 1], tpch_comment(i, 2) from generate_series(0, 24) i;
  insert into supplier select i, 'Supplier#' || lpad(i::text, 9, '0'), 'Street ' || tpch_pick(i, 10, 9999), n, (10 + n) || '-' || (100 + tpch_pick(i, 12, 900)) || '-' || (1000 + tpch_pick(i, 13, 9000)),
      tpch_pick(i, 14, 1100000) / 100.0 - 1000, tpch_comment(i, 15) || case when i % 97 = 0 then ' Customer Complaints' else '' end
    from generate_series(1, suppliers) i, lateral (select tpch_pick(i, 11, 25) as n) nation_of;
  insert into part select i, tpch_word(i, 20, colours) || ' ' || tpch_word(i, 21, colours) || ' ' || tpch_word(i, 22, colours),
      'Maker#' || m, 'Brand#' || m || (1 + tpch_pick(i, 24, 5)),
      tpch_word(i, 25, '{STANDARD,SMALL,MEDIUM,LARGE,ECONOMY,PROMO}') || ' ' || tpch_word(i, 26, '{ANODIZED,BURNISHED,PLATED,POLISHED,BRUSHED}') || ' ' || tpch_word(i, 27, '{TIN,NICKEL,BRASS,STEEL,COPPER}'),
      1 + tpch_pick(i, 28, 50), tpch_word(i, 29, '{SM,LG,MED,JUMBO,WRAP}') || ' ' || tpch_word(i, 30, '{CASE,BOX,BAG,JAR,PACK,CAN,DRUM}'),
      900 + (i % 1000) / 10.0 + (i / 10) % 100, tpch_comment(i, 31)
    from generate_series(1, parts) i, lateral (select 1 + tpch_pick(i, 23, 5) as m) maker_of;
  insert into partsupp select p, 1 + (p + s * (suppliers / 4 + (p - 1) / suppliers)) % suppliers, 1 + tpch_pick(p * 4 + s, 40, 9999),
      100 + tpch_pick(p * 4 + s, 41, 90000) / 100.0, tpch_comment(p * 4 + s, 42)
    from generate_series(1::bigint, parts) p, generate_series(0, 3) s on conflict do nothing;
  insert into customer select i, 'Customer#' || lpad(i::text, 9, '0'), 'Avenue ' || tpch_pick(i, 50, 9999), n, (10 + n) || '-' || (100 + tpch_pick(i, 52, 900)) || '-' || (1000 + tpch_pick(i, 53, 9000)),
      tpch_pick(i, 54, 1100000) / 100.0 - 1000, tpch_word(i, 55, '{AUTOMOBILE,BUILDING,FURNITURE,HOUSEHOLD,MACHINERY}'), tpch_comment(i, 56)
    from generate_series(1, customers) i, lateral (select tpch_pick(i, 51, 25) as n) nation_of;
  -- A third of the customers never orders.
  insert into lineitem select o, p, 1 + (p + tpch_pick(key, 72, 4) * (suppliers / 4 + (p - 1) / suppliers)) % suppliers, line, q,
      q * (900 + (p % 1000) / 10.0 + (p / 10) % 100), tpch_pick(key, 74, 11) / 100.0, tpch_pick(key, 75, 9) / 100.0,
      case when shipped + 1 + tpch_pick(key, 78, 30) <= date '1995-06-17' then tpch_word(key, 79, '{R,A}') else 'N' end,
      case when shipped > date '1995-06-17' then 'O' else 'F' end, shipped, ordered + 30 + tpch_pick(key, 77, 61), shipped + 1 + tpch_pick(key, 78, 30),
      tpch_word(key, 80, '{DELIVER IN PERSON,COLLECT COD,NONE,TAKE BACK RETURN}'), tpch_word(key, 81, '{REG AIR,AIR,RAIL,SHIP,TRUCK,MAIL,FOB}'), tpch_comment(key, 82)
    from generate_series(1::bigint, order_count) o,
      lateral (select date '1992-01-01' + tpch_pick(o, 60, 2406) as ordered, 1 + tpch_pick(o, 61, 7) as lines) head,
      lateral generate_series(1, lines) line,
      lateral (select o * 8 + line as key) keys,
      lateral (select 1 + tpch_pick(key, 70, parts) as p, 1 + tpch_pick(key, 71, 50) as q, ordered + 1 + tpch_pick(key, 76, 121) as shipped) body;
  insert into orders select o, c, case when opened = 0 then 'F' when opened = lines then 'O' else 'P' end, total, date '1992-01-01' + tpch_pick(o, 60, 2406),
      tpch_word(o, 90, '{1-URGENT,2-HIGH,3-MEDIUM,4-NOT SPECIFIED,5-LOW}'), 'Clerk#' || lpad((1 + tpch_pick(o, 91, greatest(1, order_count / 1500)))::text, 9, '0'), 0, tpch_comment(o, 92)
    from (select l_orderkey as o, count(*) as lines, count(*) filter (where l_linestatus = 'O') as opened,
        round(sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)), 2) as total from lineitem group by l_orderkey) sums,
      lateral (select 1 + tpch_pick(o, 93, customers) as any_customer) chosen,
      lateral (select case when any_customer % 3 = 0 then greatest(1, any_customer - 1) else any_customer end as c) buyer;
end $$;
