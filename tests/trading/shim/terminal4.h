// What a test tells the terminal of MetaTrader 4: its orders.
#pragma once

static order read_order(const std::vector<std::string> &f)
  {
   order o;
   size_t i = 1;
   o.ticket = std::stoi(f.at(i++));
   o.type = std::stoi(f.at(i++));
   o.symbol = from_utf8(unhex(f.at(i++)));
   for(double *field : {&o.lots, &o.open_price, &o.close_price, &o.sl, &o.tp, &o.profit, &o.swap, &o.commission})
      *field = std::stod(f.at(i++));
   o.open_time = std::stoll(f.at(i++));
   o.close_time = std::stoll(f.at(i++));
   o.magic = std::stoi(f.at(i++));
   o.comment = from_utf8(unhex(f.at(i++)));
   return o;
  }

static bool platform_command(const std::vector<std::string> &f)
  {
   if(f.at(0) == "clear")
     { orders_open.clear(); orders_closed.clear(); orders_by_ticket.clear(); }
   else if(f.at(0) == "open" || f.at(0) == "closed")
     {
      auto &list = f.at(0) == "open" ? orders_open : orders_closed;
      list.push_back(read_order(f));
      orders_by_ticket[list.back().ticket] = list.back();
     }
   else
      return false;
   return true;
  }

#include "terminal.h"
