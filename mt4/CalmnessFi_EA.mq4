//+------------------------------------------------------------------+
//| CalmnessFi_EA.mq4                                                |
//| Reads the account's history and sends it to Calmness Trading.    |
//| Read-only: no function of this file can open, change or close    |
//| an order. It works with the investor password.                   |
//+------------------------------------------------------------------+
#property copyright "Calmness Trading"
#property version   "2.00"
#property strict

input string Cle     = "";                          // Clé API (espace, rubrique MetaTrader)
input string Adresse = "https://calmness.example";  // Adresse du site, sans barre à la fin

#define EA_VERSION   "2.0.0"
#define BATCH_MAX    500
#define TIMEOUT_MS   10000
#define PASS_SECONDS 60
#define LOOK_BACK    2678400  // 31 days: once a day closings of this time are sent again, brokers correct them
#define UNKNOWN      -1

int      g_batch_max  = BATCH_MAX;
uint     g_next_pass  = 0;      // tick count of the next pass
int      g_failures   = 0;
datetime g_cursor_time = 0;     // last closing that the server confirmed
int      g_cursor_ticket = 0;
int      g_known      = UNKNOWN; // rows of the history up to the cursor; more of them: older ones came into view
int      g_look_day   = 0;      // day of the last look back
string   g_login      = "";
string   g_told       = "";      // symbols of which the server has the contract, "|EURUSD||XAUUSD|"
string   g_telling    = "";      // those of the message being written
string   g_contracts  = "";      // their contracts

//+------------------------------------------------------------------+
int OnInit()
  {
   if(IsTesting() || IsOptimization())
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
   if(AccountNumber() == 0)
     {
      Wait(10);
      return;
     }
   if(Identity() != g_login)
      LoadCursor();
   Pass();
  }

//+------------------------------------------------------------------+
//| One pass: what is open, then closings after the cursor           |
//+------------------------------------------------------------------+
void Pass()
  {
   g_telling = "";
   g_contracts = "";
   string trades = "";
   string open_tickets = "";
   int count = 0;
   for(int i = OrdersTotal() - 1; i >= 0; i--)
     {
      if(!OrderSelect(i, SELECT_BY_POS, MODE_TRADES))
        {
         Wait(5);
         return;
        }
      if(OrderType() <= 1)
         open_tickets += (open_tickets == "" ? "" : ",") + Quoted(IntegerToString(OrderTicket()));
      if(count < g_batch_max / 2)
        {
         trades += (trades == "" ? "" : ",") + OrderJson();
         count++;
        }
     }

   int total = OrdersHistoryTotal();
   datetime oldest = 0;
   datetime newest = 0;
   datetime last_time = g_cursor_time;
   int last_ticket = g_cursor_ticket;
   bool complete = true;

   //--- the list is in no certain order: collect what lies after the cursor, take the earliest ones
   int tickets[];
   datetime times[];
   int found = 0;
   ArrayResize(tickets, total);
   ArrayResize(times, total);
   for(int h = 0; h < total; h++)
     {
      if(!OrderSelect(h, SELECT_BY_POS, MODE_HISTORY))
        {
         Wait(5);
         return;
        }
      datetime closed = ClosedAt();
      if(oldest == 0 || closed < oldest)
         oldest = closed;
      if(closed > newest)
         newest = closed;
      if(closed > g_cursor_time || (closed == g_cursor_time && OrderTicket() > g_cursor_ticket))
        {
         tickets[found] = OrderTicket();
         times[found] = closed;
         found++;
        }
     }
   //--- more rows than before behind the cursor: the history tab was set to a longer period, or loads late
   int behind = total - found;
   if(g_known != UNKNOWN && behind > g_known)
     {
      g_cursor_time = 0;
      g_cursor_ticket = 0;
      g_known = 0;
      Wait(1);
      return;
     }
   //--- brokers correct swaps and prices of closed trades for days: once a day a month is sent again
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
   int room = g_batch_max - count;
   if(found > room)
      complete = false;
   Sort(times, tickets, found);
   int sent = 0;
   for(int k = 0; k < found && k < room; k++)
     {
      if(!OrderSelect(tickets[k], SELECT_BY_TICKET))
        {
         Wait(5);
         return;
        }
      sent++;
      trades += (trades == "" ? "" : ",") + OrderJson();
      last_time = times[k];
      last_ticket = tickets[k];
     }
   Send(Body(trades, open_tickets, total, oldest, newest, complete, last_time), last_time, last_ticket, behind + sent, complete);
  }

//--- balance and credit rows have no closing time: their opening is when they happened
datetime ClosedAt()
  {
   return(OrderCloseTime() > 0 ? OrderCloseTime() : OrderOpenTime());
  }

//--- Shell sort: a first pass has all of the history, the later ones a handful
void Sort(datetime &times[], int &tickets[], int count)
  {
   for(int gap = count / 2; gap > 0; gap /= 2)
      for(int i = gap; i < count; i++)
        {
         datetime t = times[i];
         int n = tickets[i];
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
   double point = MarketInfo(symbol, MODE_POINT);
   if(point <= 0)
      return;
   g_telling += mark;
   string json = "{\"symbol\":" + Quoted(symbol);
   json += ",\"digits\":" + IntegerToString((int)MarketInfo(symbol, MODE_DIGITS));
   json += ",\"point\":" + Quoted(Number(point, 8));
   json += ",\"tick_size\":" + Quoted(Number(MarketInfo(symbol, MODE_TICKSIZE), 8));
   json += ",\"contract_size\":" + Quoted(Number(MarketInfo(symbol, MODE_LOTSIZE), 4)) + "}";
   g_contracts += (g_contracts == "" ? "" : ",") + json;
  }

string OrderJson()
  {
   Tell(OrderSymbol());
   int digits = OrderSymbol() == "" ? 2 : (int)MarketInfo(OrderSymbol(), MODE_DIGITS);
   if(digits < 2)
      digits = 5;
   bool is_cash = OrderType() > 5;
   string json = "{\"ticket\":" + Quoted(IntegerToString(OrderTicket()));
   json += ",\"type\":" + IntegerToString(OrderType());
   json += ",\"symbol\":" + Quoted(OrderSymbol());
   json += ",\"lots\":" + Quoted(Number(OrderLots(), 3));
   json += ",\"open_time\":" + IntegerToString((int)OrderOpenTime());
   json += ",\"close_time\":" + IntegerToString(is_cash ? 0 : (int)OrderCloseTime());
   json += ",\"open_price\":" + Quoted(Number(OrderOpenPrice(), digits));
   json += ",\"close_price\":" + Quoted(Number(OrderClosePrice(), digits));
   json += ",\"sl\":" + Quoted(Number(OrderStopLoss(), digits));
   json += ",\"tp\":" + Quoted(Number(OrderTakeProfit(), digits));
   json += ",\"profit\":" + Quoted(Number(OrderProfit(), 2));
   json += ",\"swap\":" + Quoted(Number(OrderSwap(), 2));
   json += ",\"commission\":" + Quoted(Number(OrderCommission(), 2));
   json += ",\"magic\":" + IntegerToString(OrderMagicNumber());
   json += ",\"digits\":" + IntegerToString(digits);
   json += ",\"comment\":" + Quoted(OrderComment()) + "}";
   return(json);
  }

string Body(string trades, string open_tickets, int total, datetime oldest, datetime newest, bool complete, datetime last_time)
  {
   string json = "{\"v\":2,\"ea\":" + Quoted(EA_VERSION) + ",\"platform\":\"mt4\",\"batch_id\":" + Quoted(BatchId());
   json += ",\"account\":{\"login\":" + Quoted(IntegerToString(AccountNumber()));
   json += ",\"server\":" + Quoted(AccountServer()) + ",\"company\":" + Quoted(AccountCompany());
   json += ",\"currency\":" + Quoted(AccountCurrency()) + ",\"leverage\":" + IntegerToString(AccountLeverage());
   json += ",\"mode\":" + Quoted(IsDemo() ? "demo" : "real") + "}";
   json += ",\"clock\":{\"gmt\":" + IntegerToString((int)TimeGMT()) + ",\"server\":" + IntegerToString((int)TimeCurrent());
   json += ",\"server_age_s\":" + IntegerToString(ServerAge()) + "}";
   json += ",\"snapshot\":{\"balance\":" + Quoted(Number(AccountBalance(), 2));
   json += ",\"equity\":" + Quoted(Number(AccountEquity(), 2)) + ",\"margin\":" + Quoted(Number(AccountMargin(), 2));
   json += ",\"free\":" + Quoted(Number(AccountFreeMargin(), 2)) + ",\"open_tickets\":[" + open_tickets + "]}";
   json += ",\"history\":{\"total\":" + IntegerToString(total) + ",\"oldest_close\":" + IntegerToString((int)oldest);
   json += ",\"newest_close\":" + IntegerToString((int)newest) + ",\"complete\":" + (complete ? "true" : "false") + "}";
   json += ",\"cursor\":{\"time\":" + IntegerToString((int)g_cursor_time) + ",\"next\":" + IntegerToString((int)last_time) + "}";
   if(g_contracts != "")
      json += ",\"symbols\":[" + g_contracts + "]";
   json += ",\"trades\":[" + trades + "]}";
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
void Send(string body, datetime last_time, int last_ticket, int known, bool complete)
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
   if(status == -1 && error == 4060)
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
   return(IntegerToString(AccountNumber()) + "@" + AccountServer());
  }

string CursorFile()
  {
   string server = AccountServer();
   StringReplace(server, " ", "_");
   StringReplace(server, "\\", "_");
   StringReplace(server, "/", "_");
   //--- with the public part of the key: another account on the site has got nothing yet
   return("CalmnessFi\\" + IntegerToString(AccountNumber()) + "_" + server + "_" + StringSubstr(Cle, 6, 8) + ".cur");
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
   g_cursor_ticket = (int)StringToInteger(FileReadString(handle));
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
