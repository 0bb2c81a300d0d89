// What only MQL5 has: deals, positions and orders apart, read by properties. Selections work as in the terminal: a look
// at one position leaves only its deals selected.
#pragma once
#include <algorithm>
#include "mql.h"

typedef unsigned long ulong;


struct deal
  {
   long long ticket = 0, position = 0, type = 0, entry = 0, time = 0, magic = 0;
   string symbol, comment;
   double volume = 0, price = 0, profit = 0, swap = 0, commission = 0, fee = 0, sl = 0, tp = 0;
  };
struct position { long long id = 0; string symbol; double price = 0, profit = 0, swap = 0, sl = 0, tp = 0; };
struct pending
  { long long ticket = 0, type = 0, state = 1, setup = 0, done = 0; string symbol; double lots = 0, price = 0, sl = 0, tp = 0; };

inline std::vector<deal> deals_all, deals_selected;
inline std::vector<position> positions_open;
inline std::vector<pending> orders_waiting, orders_ended, orders_selected;
inline position position_selected;
inline pending order_selected;

enum { MQL_TESTER, ACCOUNT_LOGIN, ACCOUNT_SERVER, ACCOUNT_COMPANY, ACCOUNT_CURRENCY, ACCOUNT_LEVERAGE, ACCOUNT_MARGIN_MODE,
       ACCOUNT_TRADE_MODE, ACCOUNT_BALANCE, ACCOUNT_EQUITY, ACCOUNT_MARGIN, ACCOUNT_MARGIN_FREE, SYMBOL_DIGITS, SYMBOL_POINT,
       SYMBOL_TRADE_TICK_SIZE, SYMBOL_TRADE_CONTRACT_SIZE };
enum { ACCOUNT_TRADE_MODE_REAL = 2 };
enum { DEAL_POSITION_ID, DEAL_TYPE, DEAL_ENTRY, DEAL_TIME, DEAL_MAGIC, DEAL_SYMBOL, DEAL_COMMENT, DEAL_VOLUME, DEAL_PRICE,
       DEAL_SL, DEAL_TP, DEAL_PROFIT, DEAL_SWAP, DEAL_COMMISSION, DEAL_FEE };
enum { DEAL_TYPE_BUY = 0, DEAL_TYPE_SELL = 1, DEAL_TYPE_BUY_CANCELED = 13, DEAL_TYPE_SELL_CANCELED = 14 };
enum { POSITION_IDENTIFIER, POSITION_SYMBOL, POSITION_PRICE_CURRENT, POSITION_SL, POSITION_TP, POSITION_PROFIT, POSITION_SWAP };
enum { ORDER_TYPE, ORDER_STATE, ORDER_TIME_SETUP, ORDER_TIME_DONE, ORDER_SYMBOL, ORDER_VOLUME_INITIAL, ORDER_PRICE_OPEN,
       ORDER_SL, ORDER_TP };
enum { ORDER_STATE_CANCELED = 2, ORDER_STATE_EXPIRED = 6 };

inline long long MQLInfoInteger(int) { return T.tester; }
inline long long AccountInfoInteger(int what)
  {
   return what == ACCOUNT_LOGIN ? T.login : what == ACCOUNT_LEVERAGE ? 30 : what == ACCOUNT_TRADE_MODE ? 2
        : what == ACCOUNT_MARGIN_MODE ? 2 : 0;
  }
inline string AccountInfoString(int what)
  { return what == ACCOUNT_SERVER ? T.broker_server : what == ACCOUNT_COMPANY ? T.company : T.currency; }
inline double AccountInfoDouble(int what)
  { return what == ACCOUNT_BALANCE ? T.balance : what == ACCOUNT_MARGIN ? 0 : T.equity; }
inline long long SymbolInfoInteger(const string &symbol, int)
  { return std::max(0, digits_of(symbol)); }
inline double SymbolInfoDouble(const string &symbol, int what)
  {
   int digits = digits_of(symbol);
   return digits < 0 ? 0 : what == SYMBOL_TRADE_CONTRACT_SIZE ? lot_of(symbol) : std::pow(10, -digits);
  }

inline bool HistorySelect(datetime from, datetime to)
  {
   deals_selected.clear();
   orders_selected.clear();
   for(auto &d : deals_all)
      if(d.time >= from && d.time <= to)
         deals_selected.push_back(d);
   for(auto &o : orders_ended)
      if(o.done >= from && o.done <= to)
         orders_selected.push_back(o);
   return true;
  }
inline bool HistorySelectByPosition(long long id)
  {
   deals_selected.clear();
   orders_selected.clear();
   for(auto &d : deals_all)
      if(d.position == id)
         deals_selected.push_back(d);
   return true;
  }
inline bool HistoryDealSelect(ulong ticket)
  {
   deals_selected.clear();
   for(auto &d : deals_all)
      if(d.ticket == (long long)ticket)
         deals_selected.push_back(d);
   return !deals_selected.empty();
  }
inline int HistoryDealsTotal() { return (int)deals_selected.size(); }
inline ulong HistoryDealGetTicket(int i) { return i >= 0 && i < HistoryDealsTotal() ? deals_selected[i].ticket : 0; }
inline const deal &deal_of(ulong ticket)
  {
   static const deal none;
   //--- mostly in the order of their numbers: a search by halves keeps 100 000 deals quick
   auto at = std::lower_bound(deals_selected.begin(), deals_selected.end(), (long long)ticket,
                              [](const deal &d, long long t) { return d.ticket < t; });
   if(at != deals_selected.end() && at->ticket == (long long)ticket)
      return *at;
   for(auto &d : deals_selected)
      if(d.ticket == (long long)ticket)
         return d;
   return none;
  }
inline long long HistoryDealGetInteger(ulong ticket, int what)
  {
   const deal &d = deal_of(ticket);
   return what == DEAL_POSITION_ID ? d.position : what == DEAL_TYPE ? d.type : what == DEAL_ENTRY ? d.entry
        : what == DEAL_TIME ? d.time : d.magic;
  }
inline string HistoryDealGetString(ulong ticket, int what)
  { return what == DEAL_SYMBOL ? deal_of(ticket).symbol : deal_of(ticket).comment; }
inline double HistoryDealGetDouble(ulong ticket, int what)
  {
   const deal &d = deal_of(ticket);
   return what == DEAL_VOLUME ? d.volume : what == DEAL_PRICE ? d.price : what == DEAL_SL ? d.sl : what == DEAL_TP ? d.tp
        : what == DEAL_PROFIT ? d.profit : what == DEAL_SWAP ? d.swap : what == DEAL_COMMISSION ? d.commission : d.fee;
  }
inline int PositionsTotal() { return (int)positions_open.size(); }
inline ulong PositionGetTicket(int i) { position_selected = positions_open.at(i); return position_selected.id; }
inline long long PositionGetInteger(int) { return position_selected.id; }
inline string PositionGetString(int) { return position_selected.symbol; }
inline double PositionGetDouble(int what)
  {
   const position &p = position_selected;
   return what == POSITION_PRICE_CURRENT ? p.price : what == POSITION_SL ? p.sl : what == POSITION_TP ? p.tp
        : what == POSITION_PROFIT ? p.profit : p.swap;
  }
inline long long order_integer(const pending &o, int what)
  { return what == ORDER_TYPE ? o.type : what == ORDER_STATE ? o.state : what == ORDER_TIME_SETUP ? o.setup : o.done; }
inline double order_double(const pending &o, int what)
  { return what == ORDER_VOLUME_INITIAL ? o.lots : what == ORDER_PRICE_OPEN ? o.price : what == ORDER_SL ? o.sl : o.tp; }
inline int OrdersTotal() { return (int)orders_waiting.size(); }
inline ulong OrderGetTicket(int i) { order_selected = orders_waiting.at(i); return order_selected.ticket; }
inline long long OrderGetInteger(int what) { return order_integer(order_selected, what); }
inline double OrderGetDouble(int what) { return order_double(order_selected, what); }
inline string OrderGetString(int) { return order_selected.symbol; }
inline int HistoryOrdersTotal() { return (int)orders_selected.size(); }
inline ulong HistoryOrderGetTicket(int i) { return orders_selected.at(i).ticket; }
inline const pending &ended(ulong ticket)
  {
   static const pending none;
   for(auto &o : orders_selected)
      if(o.ticket == (long long)ticket)
         return o;
   return none;
  }
inline long long HistoryOrderGetInteger(ulong ticket, int what) { return order_integer(ended(ticket), what); }
inline double HistoryOrderGetDouble(ulong ticket, int what) { return order_double(ended(ticket), what); }
inline string HistoryOrderGetString(ulong ticket, int) { return ended(ticket).symbol; }
