//+------------------------------------------------------------------+
//| CalmnessFi_EA.mq5                                                |
//| Reads the account's history and sends it to Calmness Trading.    |
//| Read-only: no function of this file can open, change or close    |
//| a position. It works with the investor password.                 |
//+------------------------------------------------------------------+
#property copyright "Calmness Trading"
#property version   "2.00"

input string Cle     = "";                          // Clé API (espace, rubrique MetaTrader)
input string Adresse = "https://calmness.example";  // Adresse du site, sans barre à la fin

#define EA_VERSION   "2.0.0"
#define BATCH_MAX    500
#define TIMEOUT_MS   10000
#define PASS_SECONDS 60
#define LOOK_BACK    2678400  // 31 days: once a day deals of this time are sent again, brokers correct them
#define UNKNOWN      -1
#define CANCELLED_MAX 100     // cancelled orders looked at, newest first

int      g_batch_max  = BATCH_MAX;
uint     g_next_pass  = 0;      // tick count of the next pass
int      g_failures   = 0;
datetime g_cursor_time = 0;     // last deal that the server confirmed
long     g_cursor_ticket = 0;
int      g_known      = UNKNOWN; // deals up to the cursor; more of them: older ones came in
int      g_look_day   = 0;      // day of the last look back
int      g_seen       = UNKNOWN; // deals at the last look: the history loads for a while after a login
string   g_login      = "";
string   g_told       = "";      // symbols of which the server has the contract, "|EURUSD||XAUUSD|"
string   g_telling    = "";      // those of the message being written
string   g_contracts  = "";      // their contracts

//+------------------------------------------------------------------+
int OnInit()
  {
   if(MQLInfoInteger(MQL_TESTER) != 0)
     {
      Say("L’Expert Advisor ne fonctionne pas dans le testeur. / Not available in the tester.");
      return(INIT_FAILED);
     }
   if(StringLen(Cle) < 20)
     {
      Say("Collez la clé de votre compte dans les paramètres. / Paste your account key in the inputs.");
      return(INIT_PARAMETERS_INCORRECT);
     }
   //--- the terminal keeps globals when inputs change: a new key is tried at once
   g_batch_max = BATCH_MAX;
   g_next_pass = 0;
   g_failures = 0;
   g_seen = UNKNOWN;
   g_login = "";
   MathSrand((int)GetTickCount());
   EventSetTimer(1);
   Say("Prêt. Premier envoi dans quelques secondes. / Ready.");
   return(INIT_SUCCEEDED);
  }

void OnDeinit(const int reason)
  {
   EventKillTimer();
   Comment("");
  }

//--- the timer, not ticks: quiet symbols and week-ends have none
void OnTimer()
  {
   if(g_next_pass != 0 && (int)(GetTickCount() - g_next_pass) < 0)
      return;
   if(Login() == "0")
     {
      Wait(10);
      return;
     }
   if(Identity() != g_login)
     {
      LoadCursor();
      g_seen = UNKNOWN;
     }
   if(!HistorySelect(0, TimeCurrent() + 172800))
     {
      Wait(5);
      return;
     }
   int total = HistoryDealsTotal();
   if(total != g_seen)
     {
      //--- a history that still loads is looked at again
      g_seen = total;
      Wait(2);
      return;
     }
   Pass(total);
  }

string Login()
  {
   return(IntegerToString(AccountInfoInteger(ACCOUNT_LOGIN)));
  }

//+------------------------------------------------------------------+
//| One pass: what is open, then deals after the cursor. A position  |
//| is always sent with all of its deals: the server makes trades    |
//| of them.                                                         |
//+------------------------------------------------------------------+
void Pass(int total)
  {
   datetime oldest = 0;
   datetime newest = 0;
   datetime last_time = g_cursor_time;
   long last_ticket = g_cursor_ticket;
   bool complete = true;

   //--- collect what lies after the cursor, take the earliest ones
   long tickets[];
   datetime times[];
   int found = 0;
   ArrayResize(tickets, total);
   ArrayResize(times, total);
   for(int h = 0; h < total; h++)
     {
      long deal = (long)HistoryDealGetTicket(h);
      if(deal == 0)
        {
         Wait(5);
         return;
        }
      datetime done = (datetime)HistoryDealGetInteger(deal, DEAL_TIME);
      if(oldest == 0 || done < oldest)
         oldest = done;
      if(done > newest)
         newest = done;
      if(done > g_cursor_time || (done == g_cursor_time && deal > g_cursor_ticket))
        {
         tickets[found] = deal;
         times[found] = done;
         found++;
        }
     }
   //--- more deals than before behind the cursor: older ones were loaded late
   int behind = total - found;
   if(g_known != UNKNOWN && behind > g_known)
     {
      g_cursor_time = 0;
      g_cursor_ticket = 0;
      g_known = 0;
      Wait(1);
      return;
     }
   //--- brokers correct swaps and prices for days: once a day a month is sent again
   int today = (int)(TimeLocal() / 86400);
   if(today != g_look_day)
     {
      g_look_day = today;
      if(g_cursor_time > TimeCurrent() - LOOK_BACK)
        {
         g_cursor_time = (datetime)MathMax(0, (double)(TimeCurrent() - LOOK_BACK));
         g_cursor_ticket = 0;
         g_known = UNKNOWN;
         Wait(1);
         return;
        }
     }
   Sort(times, tickets, found);
   g_telling = "";
   g_contracts = "";
   string trades = PendingJson();
   string deals = "";
   string sent = ",";           // positions of this batch, ",12,34,"
   string open_tickets = "";
   string positions = "";
   int count = 0;
   for(int i = PositionsTotal() - 1; i >= 0; i--)
     {
      if(PositionGetTicket(i) == 0)
        {
         Wait(5);
         return;
        }
      string id = IntegerToString(PositionGetInteger(POSITION_IDENTIFIER));
      open_tickets += (open_tickets == "" ? "" : ",") + Quoted(id);
      if(count < g_batch_max / 2)
        {
         positions += (positions == "" ? "" : ",") + PositionJson(id);
         sent += id + ",";
         count += AddDeals(deals, PositionGetInteger(POSITION_IDENTIFIER));
        }
     }
   int taken = 0;
   for(int k = 0; k < found; k++)
     {
      //--- a look at one position leaves only its deals selected: the deal is selected by its number
      if(!HistoryDealSelect(tickets[k]))
        {
         Wait(5);
         return;
        }
      long position = HistoryDealGetInteger(tickets[k], DEAL_POSITION_ID);
      bool is_cash = IsCash(HistoryDealGetInteger(tickets[k], DEAL_TYPE));
      if(is_cash || StringFind(sent, "," + IntegerToString(position) + ",") < 0)
        {
         if(count >= g_batch_max)
           {
            complete = false;
            break;
           }
         if(is_cash)
           {
            deals += (deals == "" ? "" : ",") + DealJson(tickets[k]);
            count++;
           }
         else
           {
            sent += IntegerToString(position) + ",";
            count += AddDeals(deals, position);
           }
        }
      taken++;
      last_time = times[k];
      last_ticket = tickets[k];
     }
   Send(Body(trades, deals, positions, open_tickets, total, oldest, newest, complete, last_time), last_time, last_ticket,
        behind + taken, complete);
  }

//--- deposits, fees, dividends and so on; a deal that the broker took back is still one of its position
bool IsCash(long type)
  {
   return(type != DEAL_TYPE_BUY && type != DEAL_TYPE_SELL && type != DEAL_TYPE_BUY_CANCELED && type != DEAL_TYPE_SELL_CANCELED);
  }

//--- all deals of a position, from its opening on; how many
int AddDeals(string &deals, long position)
  {
   if(!HistorySelectByPosition(position))
      return(0);
   int total = HistoryDealsTotal();
   for(int i = 0; i < total; i++)
      deals += (deals == "" ? "" : ",") + DealJson((long)HistoryDealGetTicket(i));
   return(total);
  }

//--- Shell sort: a first pass has all of the history, the later ones a handful
void Sort(datetime &times[], long &tickets[], int count)
  {
   for(int gap = count / 2; gap > 0; gap /= 2)
      for(int i = gap; i < count; i++)
        {
         datetime t = times[i];
         long n = tickets[i];
         int j = i;
         while(j >= gap && (times[j - gap] > t || (times[j - gap] == t && tickets[j - gap] > n)))
           {
            times[j] = times[j - gap];
            tickets[j] = tickets[j - gap];
            j -= gap;
           }
         times[j] = t;
         tickets[j] = n;
        }
  }

//--- what a point and a lot of a symbol are: once in a run, with the first message that names it
void Tell(string symbol)
  {
   string mark = "|" + symbol + "|";
   if(symbol == "" || StringFind(g_told, mark) >= 0 || StringFind(g_telling, mark) >= 0)
      return;
   //--- zero of a symbol that the broker no longer offers
   double point = SymbolInfoDouble(symbol, SYMBOL_POINT);
   if(point <= 0)
      return;
   g_telling += mark;
   string json = "{\"symbol\":" + Quoted(symbol);
   json += ",\"digits\":" + IntegerToString((int)SymbolInfoInteger(symbol, SYMBOL_DIGITS));
   json += ",\"point\":" + Quoted(Number(point, 8));
   json += ",\"tick_size\":" + Quoted(Number(SymbolInfoDouble(symbol, SYMBOL_TRADE_TICK_SIZE), 8));
   json += ",\"contract_size\":" + Quoted(Number(SymbolInfoDouble(symbol, SYMBOL_TRADE_CONTRACT_SIZE), 4)) + "}";
   g_contracts += (g_contracts == "" ? "" : ",") + json;
  }

int Digits(string symbol)
  {
   int digits = symbol == "" ? 2 : (int)SymbolInfoInteger(symbol, SYMBOL_DIGITS);
   return(digits < 2 ? 5 : digits);
  }

string DealJson(long deal)
  {
   string symbol = HistoryDealGetString(deal, DEAL_SYMBOL);
   int digits = Digits(symbol);
   Tell(symbol);
   string json = "{\"deal\":" + Quoted(IntegerToString(deal));
   json += ",\"position\":" + Quoted(IntegerToString(HistoryDealGetInteger(deal, DEAL_POSITION_ID)));
   json += ",\"type\":" + IntegerToString(HistoryDealGetInteger(deal, DEAL_TYPE));
   json += ",\"entry\":" + IntegerToString(HistoryDealGetInteger(deal, DEAL_ENTRY));
   json += ",\"symbol\":" + Quoted(symbol);
   json += ",\"volume\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_VOLUME), 4));
   json += ",\"time\":" + IntegerToString(HistoryDealGetInteger(deal, DEAL_TIME));
   json += ",\"price\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_PRICE), digits));
   json += ",\"sl\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_SL), digits));
   json += ",\"tp\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_TP), digits));
   json += ",\"profit\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_PROFIT), 2));
   json += ",\"swap\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_SWAP), 2));
   json += ",\"commission\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_COMMISSION), 2));
   json += ",\"fee\":" + Quoted(Number(HistoryDealGetDouble(deal, DEAL_FEE), 2));
   json += ",\"magic\":" + IntegerToString(HistoryDealGetInteger(deal, DEAL_MAGIC));
   json += ",\"digits\":" + IntegerToString(digits);
   json += ",\"comment\":" + Quoted(HistoryDealGetString(deal, DEAL_COMMENT)) + "}";
   return(json);
  }

//--- what no deal says of an open position: where it stands now
string PositionJson(string id)
  {
   int digits = Digits(PositionGetString(POSITION_SYMBOL));
   string json = "{\"position\":" + Quoted(id);
   json += ",\"price\":" + Quoted(Number(PositionGetDouble(POSITION_PRICE_CURRENT), digits));
   json += ",\"sl\":" + Quoted(Number(PositionGetDouble(POSITION_SL), digits));
   json += ",\"tp\":" + Quoted(Number(PositionGetDouble(POSITION_TP), digits));
   json += ",\"profit\":" + Quoted(Number(PositionGetDouble(POSITION_PROFIT), 2));
   json += ",\"swap\":" + Quoted(Number(PositionGetDouble(POSITION_SWAP), 2)) + "}";
   return(json);
  }

//--- orders that wait, and those that ended without a deal since the cursor; as MetaTrader 4 counts types
string PendingJson()
  {
   string trades = "";
   for(int i = OrdersTotal() - 1; i >= 0; i--)
     {
      long order = (long)OrderGetTicket(i);
      if(order != 0 && OrderGetInteger(ORDER_TYPE) > 1)
         trades += (trades == "" ? "" : ",") + OrderJson(order, OrderGetInteger(ORDER_TYPE), OrderGetString(ORDER_SYMBOL),
                   OrderGetDouble(ORDER_VOLUME_INITIAL), OrderGetDouble(ORDER_PRICE_OPEN), OrderGetDouble(ORDER_SL),
                   OrderGetDouble(ORDER_TP), OrderGetInteger(ORDER_TIME_SETUP), 0);
     }
   int total = HistoryOrdersTotal();
   for(int h = total - 1; h >= 0 && h >= total - CANCELLED_MAX; h--)
     {
      long order = (long)HistoryOrderGetTicket(h);
      long state = HistoryOrderGetInteger(order, ORDER_STATE);
      long done = HistoryOrderGetInteger(order, ORDER_TIME_DONE);
      if(HistoryOrderGetInteger(order, ORDER_TYPE) > 1 && done >= (long)g_cursor_time
         && (state == ORDER_STATE_CANCELED || state == ORDER_STATE_EXPIRED))
         trades += (trades == "" ? "" : ",") + OrderJson(order, HistoryOrderGetInteger(order, ORDER_TYPE),
                   HistoryOrderGetString(order, ORDER_SYMBOL), HistoryOrderGetDouble(order, ORDER_VOLUME_INITIAL),
                   HistoryOrderGetDouble(order, ORDER_PRICE_OPEN), HistoryOrderGetDouble(order, ORDER_SL),
                   HistoryOrderGetDouble(order, ORDER_TP), HistoryOrderGetInteger(order, ORDER_TIME_SETUP), done);
     }
   return(trades);
  }

string OrderJson(long order, long kind, string symbol, double lots, double price, double sl, double tp, long setup, long done)
  {
   int digits = Digits(symbol);
   //--- 6 and 7 are stop limit orders, a stop to whoever reads
   string json = "{\"ticket\":" + Quoted(IntegerToString(order)) + ",\"type\":" + IntegerToString(kind > 5 ? kind - 2 : kind);
   json += ",\"symbol\":" + Quoted(symbol) + ",\"lots\":" + Quoted(Number(lots, 4));
   json += ",\"open_time\":" + IntegerToString(setup) + ",\"close_time\":" + IntegerToString(done);
   json += ",\"open_price\":" + Quoted(Number(price, digits)) + ",\"sl\":" + Quoted(Number(sl, digits));
   json += ",\"tp\":" + Quoted(Number(tp, digits)) + ",\"digits\":" + IntegerToString(digits) + "}";
   return(json);
  }

string Body(string trades, string deals, string positions, string open_tickets, int total, datetime oldest, datetime newest, bool complete, datetime last_time)
  {
   string json = "{\"v\":2,\"ea\":" + Quoted(EA_VERSION) + ",\"platform\":\"mt5\",\"batch_id\":" + Quoted(BatchId());
   json += ",\"account\":{\"login\":" + Quoted(Login());
   json += ",\"server\":" + Quoted(AccountInfoString(ACCOUNT_SERVER)) + ",\"company\":" + Quoted(AccountInfoString(ACCOUNT_COMPANY));
   json += ",\"currency\":" + Quoted(AccountInfoString(ACCOUNT_CURRENCY));
   json += ",\"leverage\":" + IntegerToString(AccountInfoInteger(ACCOUNT_LEVERAGE));
   json += ",\"margin_mode\":" + IntegerToString(AccountInfoInteger(ACCOUNT_MARGIN_MODE));
   json += ",\"mode\":" + Quoted(AccountInfoInteger(ACCOUNT_TRADE_MODE) == ACCOUNT_TRADE_MODE_REAL ? "real" : "demo") + "}";
   json += ",\"clock\":{\"gmt\":" + IntegerToString((int)TimeGMT()) + ",\"server\":" + IntegerToString((int)TimeCurrent());
   json += ",\"server_age_s\":" + IntegerToString(ServerAge()) + "}";
   json += ",\"snapshot\":{\"balance\":" + Quoted(Number(AccountInfoDouble(ACCOUNT_BALANCE), 2));
   json += ",\"equity\":" + Quoted(Number(AccountInfoDouble(ACCOUNT_EQUITY), 2));
   json += ",\"margin\":" + Quoted(Number(AccountInfoDouble(ACCOUNT_MARGIN), 2));
   json += ",\"free\":" + Quoted(Number(AccountInfoDouble(ACCOUNT_MARGIN_FREE), 2)) + ",\"open_tickets\":[" + open_tickets + "]}";
   json += ",\"history\":{\"total\":" + IntegerToString(total) + ",\"oldest_close\":" + IntegerToString((int)oldest);
   json += ",\"newest_close\":" + IntegerToString((int)newest) + ",\"complete\":" + (complete ? "true" : "false") + "}";
   json += ",\"cursor\":{\"time\":" + IntegerToString((int)g_cursor_time) + ",\"next\":" + IntegerToString((int)last_time) + "}";
   if(g_contracts != "")
      json += ",\"symbols\":[" + g_contracts + "]";
   json += ",\"trades\":[" + trades + "],\"deals\":[" + deals + "],\"positions\":[" + positions + "]}";
   return(json);
  }

//--- seconds since the server's clock last moved: it stands still at week-ends
int ServerAge()
  {
   static datetime last_server = 0;
   static uint     last_move = 0;
   static bool     has_moved = false;
   if(TimeCurrent() != last_server)
     {
      has_moved = last_server != 0;
      last_server = TimeCurrent();
      last_move = GetTickCount();
     }
   //--- until it moves once, nobody knows how old it is
   return(has_moved ? (int)((GetTickCount() - last_move) / 1000) : 86400);
  }

string BatchId()
  {
   string id = "";
   for(int i = 0; i < 4; i++)
      id += IntegerToString(MathRand()) + "-";
   return(id + IntegerToString((int)TimeLocal()) + "-" + IntegerToString((int)GetTickCount()));
  }

//+------------------------------------------------------------------+
//| Sending                                                          |
//+------------------------------------------------------------------+
void Send(string body, datetime last_time, long last_ticket, int known, bool complete)
  {
   char data[];
   char answer[];
   string answer_headers = "";
   int size = StringToCharArray(body, data, 0, WHOLE_ARRAY, CP_UTF8);
   ArrayResize(data, size - 1);  // without the closing zero
   string headers = "Content-Type: application/json\r\nX-API-Key: " + Cle + "\r\nX-EA-Version: " + EA_VERSION + "\r\n";
   ResetLastError();
   int status = WebRequest("POST", Adresse + "/ea/v1/sync", headers, TIMEOUT_MS, data, answer, answer_headers);
   string text = CharArrayToString(answer, 0, WHOLE_ARRAY, CP_UTF8);

   if(status == 200)
     {
      g_failures = 0;
      g_told += g_telling;
      if(IsTrue(text, "resync"))
        {
         //--- the server has less than it once confirmed (a backup was restored): on from where it stands
         g_cursor_time = (datetime)Field(text, "cursor_time", 0);
         g_cursor_ticket = 0;
         g_known = UNKNOWN;
         g_told = "";
         SaveCursor();
         Wait(1);
         Say("Le serveur redemande l’historique. / The server asks for the history again.");
         return;
        }
      g_known = known;
      if(last_time > 0)
        {
         g_cursor_time = last_time;
         g_cursor_ticket = last_ticket;
         SaveCursor();
        }
      g_batch_max = (int)MathMax(10, MathMin(BATCH_MAX, Field(text, "batch_max", BATCH_MAX)));
      Wait(complete ? (int)MathMax(15, Field(text, "next_in", PASS_SECONDS)) : 1);
      Say("Connecté. Dernier envoi à " + TimeToString(TimeLocal(), TIME_SECONDS) + ". / Connected.");
      return;
     }
   g_failures++;
   if(status == 401 || status == 403)
     {
      Wait(900);
      Say("Clé refusée : vérifiez-la dans votre espace. / Key refused.");
      return;
     }
   if(status == 409)
     {
      Wait(900);
      Say("Cette clé est celle d’un autre compte. / This key belongs to another account.");
      return;
     }
   if(status == 413)
     {
      g_batch_max = (int)MathMax(10, g_batch_max / 2);
      Wait(5);
      return;
     }
   if(status == 426 || status == 422)
     {
      Wait(900);
      Say("Mettez l’Expert Advisor à jour. / Please update the EA.");
      return;
     }
   if(status == 429)
     {
      Wait((int)MathMax(30, HeaderNumber(answer_headers, "retry-after", 60)));
      return;
     }
   int pauses[] = {5, 15, 60, 300};
   Wait(pauses[(int)MathMin(g_failures - 1, 3)] + MathRand() % 5);
   Say(Reason(status, GetLastError()));
  }

string Reason(int status, int error)
  {
   if(status == -1 && error == 4014)
      return("Autorisez " + Adresse + " dans Outils, Options, Expert Advisors. / Allow this URL in the options.");
   if(status == -1 && error == 5200)
      return("L’adresse est mal écrite : " + Adresse + ". / Malformed address.");
   if(status == -1 || status < 100 || status > 599)
      return("Réseau indisponible, nouvel essai bientôt. / Network down, retrying.");
   return("Le serveur répond " + IntegerToString(status) + ", nouvel essai bientôt. / Server answered, retrying.");
  }

void Wait(int seconds)
  {
   g_next_pass = GetTickCount() + (uint)seconds * 1000;
   if(g_next_pass == 0)
      g_next_pass = 1;
  }

void Say(string text)
  {
   static string said = "";
   Comment("Calmness Trading " + EA_VERSION + "\n" + text);
   string kind = StringSubstr(text, 0, 12);
   if(kind != said)
     {
      said = kind;
      Print(text);
     }
  }

//+------------------------------------------------------------------+
//| The cursor survives restarts; losing it only costs a resend      |
//+------------------------------------------------------------------+
//--- brokers number demo accounts anew on each server: the server is part of who one is
string Identity()
  {
   return(Login() + "@" + AccountInfoString(ACCOUNT_SERVER));
  }

string CursorFile()
  {
   string server = AccountInfoString(ACCOUNT_SERVER);
   StringReplace(server, " ", "_");
   StringReplace(server, "\\", "_");
   StringReplace(server, "/", "_");
   //--- with the public part of the key: another account on the site has got nothing yet
   return("CalmnessFi\\" + Login() + "_" + server + "_" + StringSubstr(Cle, 6, 8) + ".cur");
  }

void LoadCursor()
  {
   g_login = Identity();
   g_told = "";
   g_cursor_time = 0;
   g_cursor_ticket = 0;
   g_known = 0;
   int handle = FileOpen(CursorFile(), FILE_READ | FILE_TXT | FILE_ANSI);
   if(handle == INVALID_HANDLE)
      return;
   g_cursor_time = (datetime)StringToInteger(FileReadString(handle));
   g_cursor_ticket = StringToInteger(FileReadString(handle));
   g_known = (int)StringToInteger(FileReadString(handle));
   FileClose(handle);
  }

void SaveCursor()
  {
   string name = CursorFile();
   int handle = FileOpen(name + ".tmp", FILE_WRITE | FILE_TXT | FILE_ANSI);
   if(handle == INVALID_HANDLE)
      return;
   FileWriteString(handle, IntegerToString((int)g_cursor_time) + "\r\n" + IntegerToString(g_cursor_ticket) + "\r\n");
   FileWriteString(handle, IntegerToString(g_known) + "\r\n");
   FileClose(handle);
   FileMove(name + ".tmp", 0, name, FILE_REWRITE);
  }

//+------------------------------------------------------------------+
//| JSON by hand                                                     |
//+------------------------------------------------------------------+
string Number(double value, int digits)
  {
   return(MathIsValidNumber(value) ? DoubleToString(value, digits) : "0");
  }

string Quoted(string text)
  {
   string out = "\"";
   int length = StringLen(text);
   for(int i = 0; i < length; i++)
     {
      ushort c = StringGetCharacter(text, i);
      if(c == '"')
         out += "\\\"";
      else if(c == '\\')
         out += "\\\\";
      else if(c < 32)
         out += " ";
      else
         out += StringSubstr(text, i, 1);
     }
   return(out + "\"");
  }

//--- whole number of a flat key of the answer
double Field(string json, string name, double otherwise)
  {
   int at = StringFind(json, "\"" + name + "\":");
   if(at < 0)
      return(otherwise);
   double value = StringToDouble(StringSubstr(json, at + StringLen(name) + 3, 12));
   return(value > 0 ? value : otherwise);
  }

//--- a flag of the answer
bool IsTrue(string json, string name)
  {
   int at = StringFind(json, "\"" + name + "\":");
   return(at >= 0 && StringFind(StringSubstr(json, at + StringLen(name) + 3, 5), "true") >= 0);
  }

double HeaderNumber(string headers, string name, double otherwise)
  {
   string lower = headers;
   StringToLower(lower);
   int at = StringFind(lower, name + ":");
   if(at < 0)
      return(otherwise);
   double value = StringToDouble(StringSubstr(lower, at + StringLen(name) + 1, 12));
   return(value > 0 ? value : otherwise);
  }
//+------------------------------------------------------------------+
