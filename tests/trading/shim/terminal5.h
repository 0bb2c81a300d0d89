// What a test tells the terminal of MetaTrader 5: deals, positions, orders.
#pragma once

static bool platform_command(const std::vector<std::string> &f)
  {
   const std::string &name = f.at(0);
   auto text = [&](int i) { return from_utf8(unhex(f.at(i))); };
   auto whole = [&](int i) { return std::stoll(f.at(i)); };
   auto real = [&](int i) { return std::stod(f.at(i)); };
   if(name == "clear")
     { deals_all.clear(); positions_open.clear(); orders_waiting.clear(); orders_ended.clear(); }
   else if(name == "deal")
     {
      deal d;
      d.ticket = whole(1); d.position = whole(2); d.type = whole(3); d.entry = whole(4); d.time = whole(5);
      d.symbol = text(6); d.volume = real(7); d.price = real(8); d.profit = real(9); d.swap = real(10);
      d.commission = real(11); d.fee = real(12); d.comment = text(13);
      deals_all.push_back(d);
     }
   else if(name == "position")
     {
      position p;
      p.id = whole(1); p.symbol = text(2); p.price = real(3); p.profit = real(4); p.swap = real(5);
      positions_open.push_back(p);
     }
   else if(name == "order")
     {
      pending o;
      o.ticket = whole(1); o.type = whole(2); o.state = whole(3); o.setup = whole(4); o.done = whole(5);
      o.symbol = text(6); o.lots = real(7); o.price = real(8);
      (o.done ? orders_ended : orders_waiting).push_back(o);
     }
   else
      return false;
   return true;
  }

#include "terminal.h"
