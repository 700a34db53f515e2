/** The 22 questions of the TPC-H benchmark over the data of tpch-like.sql, in SQL that Postgres and DuckDB both understand. */
export const tpchLikeQueries: Readonly<Record<string, string>> = {
  q1: `select l_returnflag, l_linestatus, sum(l_quantity) as quantity, sum(l_extendedprice) as base, sum(l_extendedprice * (1 - l_discount)) as discounted,
    sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as charged, avg(l_quantity) as avg_quantity, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_discount, count(*) as lines
    from lineitem where l_shipdate <= date '1998-09-02' group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus`,
  q2: `select s_acctbal, s_name, n_name, p_partkey, p_mfgr from part join partsupp on p_partkey = ps_partkey join supplier on s_suppkey = ps_suppkey
    join nation on n_nationkey = s_nationkey join region on r_regionkey = n_regionkey
    where r_name = 'EUROPE' and p_size in (15, 16, 17) and p_type like '%BRASS' and ps_supplycost = (select min(ps_supplycost) from partsupp
      join supplier on s_suppkey = ps_suppkey join nation on n_nationkey = s_nationkey join region on r_regionkey = n_regionkey
      where ps_partkey = p_partkey and r_name = 'EUROPE') order by s_acctbal desc, n_name, s_name, p_partkey limit 100`,
  q3: `select l_orderkey, sum(l_extendedprice * (1 - l_discount)) as revenue, o_orderdate, o_shippriority from customer
    join orders on c_custkey = o_custkey join lineitem on l_orderkey = o_orderkey
    where c_mktsegment = 'BUILDING' and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
    group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate, l_orderkey limit 10`,
  q4: `select o_orderpriority, count(*) as orders from orders where o_orderdate >= date '1993-07-01' and o_orderdate < date '1993-10-01'
    and exists (select 1 from lineitem where l_orderkey = o_orderkey and l_commitdate < l_receiptdate) group by o_orderpriority order by o_orderpriority`,
  q5: `select n_name, sum(l_extendedprice * (1 - l_discount)) as revenue from customer join orders on c_custkey = o_custkey join lineitem on l_orderkey = o_orderkey
    join supplier on l_suppkey = s_suppkey and c_nationkey = s_nationkey join nation on n_nationkey = s_nationkey join region on r_regionkey = n_regionkey
    where r_name = 'ASIA' and o_orderdate >= date '1994-01-01' and o_orderdate < date '1995-01-01' group by n_name order by revenue desc`,
  q6: `select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01'
    and l_discount between 0.05 and 0.07 and l_quantity < 24`,
  q7: `select supp_nation, cust_nation, year, sum(volume) as revenue from (select n1.n_name as supp_nation, n2.n_name as cust_nation, extract(year from l_shipdate) as year,
      l_extendedprice * (1 - l_discount) as volume from supplier join lineitem on s_suppkey = l_suppkey join orders on o_orderkey = l_orderkey
      join customer on c_custkey = o_custkey join nation n1 on s_nationkey = n1.n_nationkey join nation n2 on c_nationkey = n2.n_nationkey
      where ((n1.n_name = 'FRANCE' and n2.n_name = 'GERMANY') or (n1.n_name = 'GERMANY' and n2.n_name = 'FRANCE'))
      and l_shipdate between date '1995-01-01' and date '1996-12-31') shipping group by supp_nation, cust_nation, year order by 1, 2, 3`,
  q8: `select year, sum(case when nation = 'BRAZIL' then volume else 0 end) / sum(volume) as share from (select extract(year from o_orderdate) as year,
      l_extendedprice * (1 - l_discount) as volume, n2.n_name as nation from part join lineitem on p_partkey = l_partkey join supplier on s_suppkey = l_suppkey
      join orders on l_orderkey = o_orderkey join customer on o_custkey = c_custkey join nation n1 on c_nationkey = n1.n_nationkey
      join region on n1.n_regionkey = r_regionkey join nation n2 on s_nationkey = n2.n_nationkey
      where r_name = 'AMERICA' and o_orderdate between date '1995-01-01' and date '1996-12-31' and p_type like 'ECONOMY%STEEL') all_nations group by year order by year`,
  q9: `select nation, year, sum(amount) as profit from (select n_name as nation, extract(year from o_orderdate) as year,
      l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity as amount from part join lineitem on p_partkey = l_partkey
      join supplier on s_suppkey = l_suppkey join partsupp on ps_suppkey = l_suppkey and ps_partkey = l_partkey join orders on o_orderkey = l_orderkey
      join nation on s_nationkey = n_nationkey where p_name like '%green%') profit group by nation, year order by nation, year desc`,
  q10: `select c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) as revenue, c_acctbal, n_name, c_phone from customer join orders on c_custkey = o_custkey
    join lineitem on l_orderkey = o_orderkey join nation on c_nationkey = n_nationkey where o_orderdate >= date '1993-10-01' and o_orderdate < date '1994-01-01' and l_returnflag = 'R'
    group by c_custkey, c_name, c_acctbal, c_phone, n_name order by revenue desc, c_custkey limit 20`,
  q11: `select ps_partkey, sum(ps_supplycost * ps_availqty) as value from partsupp join supplier on ps_suppkey = s_suppkey join nation on s_nationkey = n_nationkey
    where n_name = 'GERMANY' group by ps_partkey having sum(ps_supplycost * ps_availqty) > (select sum(ps_supplycost * ps_availqty) * 0.001 from partsupp
      join supplier on ps_suppkey = s_suppkey join nation on s_nationkey = n_nationkey where n_name = 'GERMANY') order by value desc, ps_partkey`,
  q12: `select l_shipmode, sum(case when o_orderpriority in ('1-URGENT', '2-HIGH') then 1 else 0 end) as high, sum(case when o_orderpriority not in ('1-URGENT', '2-HIGH') then 1 else 0 end) as low
    from orders join lineitem on o_orderkey = l_orderkey where l_shipmode in ('MAIL', 'SHIP') and l_commitdate < l_receiptdate and l_shipdate < l_commitdate
    and l_receiptdate >= date '1994-01-01' and l_receiptdate < date '1995-01-01' group by l_shipmode order by l_shipmode`,
  q13: `select orders_of, count(*) as customers from (select c_custkey, count(o_orderkey) as orders_of from customer
      left join orders on c_custkey = o_custkey and o_comment not like '%special%requests%' group by c_custkey) counted group by orders_of order by customers desc, orders_of desc`,
  q14: `select 100.00 * sum(case when p_type like 'PROMO%' then l_extendedprice * (1 - l_discount) else 0 end) / sum(l_extendedprice * (1 - l_discount)) as promo
    from lineitem join part on l_partkey = p_partkey where l_shipdate >= date '1995-09-01' and l_shipdate < date '1995-10-01'`,
  q15: `with revenue as (select l_suppkey as supplier_no, sum(l_extendedprice * (1 - l_discount)) as total from lineitem
      where l_shipdate >= date '1996-01-01' and l_shipdate < date '1996-04-01' group by l_suppkey)
    select s_suppkey, s_name, s_address, s_phone, total from supplier join revenue on s_suppkey = supplier_no where total = (select max(total) from revenue) order by s_suppkey`,
  q16: `select p_brand, p_type, p_size, count(distinct ps_suppkey) as suppliers from partsupp join part on p_partkey = ps_partkey
    where p_brand <> 'Brand#45' and p_type not like 'MEDIUM POLISHED%' and p_size in (49, 14, 23, 45, 19, 3, 36, 9)
    and ps_suppkey not in (select s_suppkey from supplier where s_comment like '%Customer%Complaints%')
    group by p_brand, p_type, p_size order by suppliers desc, p_brand, p_type, p_size`,
  q17: `select sum(l_extendedprice) / 7.0 as yearly from lineitem join part on p_partkey = l_partkey where p_brand = 'Brand#23' and p_container like 'MED%'
    and l_quantity < (select 0.2 * avg(l_quantity) from lineitem where l_partkey = p_partkey)`,
  q18: `select c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) as quantity from customer join orders on c_custkey = o_custkey
    join lineitem on o_orderkey = l_orderkey where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 250)
    group by c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice order by o_totalprice desc, o_orderdate, o_orderkey limit 100`,
  q19: `select sum(l_extendedprice * (1 - l_discount)) as revenue from lineitem join part on p_partkey = l_partkey
    where l_shipmode in ('AIR', 'REG AIR') and l_shipinstruct = 'DELIVER IN PERSON' and (
      (p_brand = 'Brand#12' and p_container like 'SM%' and l_quantity between 1 and 11 and p_size between 1 and 15)
      or (p_brand = 'Brand#23' and p_container like 'MED%' and l_quantity between 10 and 20 and p_size between 1 and 20)
      or (p_brand = 'Brand#34' and p_container like 'LG%' and l_quantity between 20 and 30 and p_size between 1 and 25))`,
  q20: `select s_name, s_address from supplier join nation on s_nationkey = n_nationkey where n_name = 'CANADA' and s_suppkey in (select ps_suppkey from partsupp
      where ps_partkey in (select p_partkey from part where p_name like 'forest%') and ps_availqty > (select 0.5 * sum(l_quantity) from lineitem
        where l_partkey = ps_partkey and l_suppkey = ps_suppkey and l_shipdate >= date '1994-01-01' and l_shipdate < date '1995-01-01')) order by s_name`,
  q21: `select s_name, count(*) as waits from supplier join lineitem l1 on s_suppkey = l1.l_suppkey join orders on o_orderkey = l1.l_orderkey
    join nation on s_nationkey = n_nationkey where o_orderstatus = 'F' and l1.l_receiptdate > l1.l_commitdate and n_name = 'SAUDI ARABIA'
    and exists (select 1 from lineitem l2 where l2.l_orderkey = l1.l_orderkey and l2.l_suppkey <> l1.l_suppkey)
    and not exists (select 1 from lineitem l3 where l3.l_orderkey = l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate)
    group by s_name order by waits desc, s_name limit 100`,
  q22: `select code, count(*) as customers, sum(c_acctbal) as balance from (select substring(c_phone from 1 for 2) as code, c_acctbal from customer
      where substring(c_phone from 1 for 2) in ('13', '31', '23', '29', '30', '18', '17') and c_acctbal > (select avg(c_acctbal) from customer where c_acctbal > 0.00)
      and not exists (select 1 from orders where o_custkey = c_custkey)) idle group by code order by code`,
}
