// What only MQL4 has: one list of orders for everything.
#pragma once
#include <unordered_map>
#include "mql.h"

enum { SELECT_BY_POS = 0, SELECT_BY_TICKET = 1, MODE_TRADES = 0, MODE_HISTORY = 1,
       MODE_POINT = 11, MODE_DIGITS = 12, MODE_LOTSIZE = 15, MODE_TICKSIZE = 17 };

struct order
  {
   int ticket = 0, type = 0, magic = 0;
   string symbol, comment;
   double lots = 0, open_price = 0, close_price = 0, sl = 0, tp = 0, profit = 0, swap = 0, commission = 0;
   datetime open_time = 0, close_time = 0;
  };
inline std::vector<order> orders_open, orders_closed;
inline std::unordered_map<int, order> orders_by_ticket;  // a list would be searched for minutes with 100 000 of them
inline order order_selected;

inline bool IsTesting() { return T.tester; }
inline bool IsOptimization() { return false; }
inline bool IsDemo() { return false; }
inline int AccountNumber() { return (int)T.login; }
inline string AccountServer() { return T.broker_server; }
inline string AccountCompany() { return T.company; }
inline string AccountCurrency() { return T.currency; }
inline int AccountLeverage() { return 30; }
inline double AccountBalance() { return T.balance; }
inline double AccountEquity() { return T.equity; }
inline double AccountMargin() { return 0; }
inline double AccountFreeMargin() { return T.equity; }
inline double MarketInfo(const string &symbol, int what)
  {
   int digits = digits_of(symbol);
   return digits < 0 ? 0 : what == MODE_DIGITS ? digits : what == MODE_LOTSIZE ? lot_of(symbol) : std::pow(10, -digits);
  }

inline int OrdersTotal() { return (int)orders_open.size(); }
inline int OrdersHistoryTotal() { return (int)orders_closed.size(); }
inline bool OrderSelect(int which, int how, int pool = MODE_TRADES)
  {
   if(how == SELECT_BY_TICKET)
     {
      auto at = orders_by_ticket.find(which);
      if(at == orders_by_ticket.end())
         return false;
      order_selected = at->second;
      return true;
     }
   auto &list = pool == MODE_TRADES ? orders_open : orders_closed;
   if(which < 0 || which >= (int)list.size())
      return false;
   order_selected = list[which];
   return true;
  }
inline int OrderTicket() { return order_selected.ticket; }
inline int OrderType() { return order_selected.type; }
inline int OrderMagicNumber() { return order_selected.magic; }
inline string OrderSymbol() { return order_selected.symbol; }
inline string OrderComment() { return order_selected.comment; }
inline double OrderLots() { return order_selected.lots; }
inline double OrderOpenPrice() { return order_selected.open_price; }
inline double OrderClosePrice() { return order_selected.close_price; }
inline double OrderStopLoss() { return order_selected.sl; }
inline double OrderTakeProfit() { return order_selected.tp; }
inline double OrderProfit() { return order_selected.profit; }
inline double OrderSwap() { return order_selected.swap; }
inline double OrderCommission() { return order_selected.commission; }
inline datetime OrderOpenTime() { return order_selected.open_time; }
inline datetime OrderCloseTime() { return order_selected.close_time; }
