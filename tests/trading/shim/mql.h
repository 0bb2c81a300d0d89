// The part of MQL that both EAs use, for g++. Only what the source needs: an unknown function is a compile error.
// Characters are UTF-16 as in the terminal; amounts are doubles; arrays check their bounds and end the program.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

typedef unsigned int uint;
typedef unsigned short ushort;
typedef long long datetime;

// ---- strings ------------------------------------------------------------------------------------------------
struct string
  {
   std::u16string u;
   string() {}
   explicit string(std::u16string s) : u(std::move(s)) {}
   string &operator+=(const string &o) { u += o.u; return *this; }
   bool operator==(const string &o) const { return u == o.u; }
   bool operator!=(const string &o) const { return u != o.u; }
  };
inline string operator+(const string &a, const string &b) { return string(a.u + b.u); }
inline string operator""_s(const char16_t *s, size_t n) { return string(std::u16string(s, n)); }

inline std::string utf8(const string &s)
  {
   std::string out;
   for(size_t i = 0; i < s.u.size(); i++)
     {
      uint32_t c = s.u[i];
      if(c >= 0xD800 && c < 0xDC00 && i + 1 < s.u.size() && s.u[i + 1] >= 0xDC00 && s.u[i + 1] < 0xE000)
         c = 0x10000 + ((c - 0xD800) << 10) + (s.u[++i] - 0xDC00);
      else if(c >= 0xD800 && c < 0xE000)
         c = 0xFFFD;
      if(c < 0x80)
         out += (char)c;
      else if(c < 0x800)
         { out += (char)(0xC0 | c >> 6); out += (char)(0x80 | (c & 63)); }
      else if(c < 0x10000)
         { out += (char)(0xE0 | c >> 12); out += (char)(0x80 | (c >> 6 & 63)); out += (char)(0x80 | (c & 63)); }
      else
         { out += (char)(0xF0 | c >> 18); out += (char)(0x80 | (c >> 12 & 63)); out += (char)(0x80 | (c >> 6 & 63)); out += (char)(0x80 | (c & 63)); }
     }
   return out;
  }

inline string from_utf8(const std::string &s)
  {
   std::u16string out;
   for(size_t i = 0; i < s.size();)
     {
      unsigned char b = s[i];
      int more = b < 0x80 ? 0 : b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
      uint32_t c = more == 0 ? b : b & (0x3F >> more);
      for(int k = 1; k <= more && i + k < s.size(); k++)
         c = c << 6 | (s[i + k] & 63);
      i += more + 1;
      if(c < 0x10000)
         out += (char16_t)c;
      else
         { out += (char16_t)(0xD800 + ((c - 0x10000) >> 10)); out += (char16_t)(0xDC00 + ((c - 0x10000) & 1023)); }
     }
   return string(out);
  }

// ---- arrays -------------------------------------------------------------------------------------------------
template <typename T> struct mql_array
  {
   std::vector<T> v;
   mql_array() {}
   mql_array(std::initializer_list<T> l) : v(l) {}
   T &operator[](int i)
     {
      if(i < 0 || i >= (int)v.size())
        { std::fprintf(stderr, "array out of range\n"); std::abort(); }
      return v[i];
     }
  };
template <typename T> int ArrayResize(mql_array<T> &a, int n) { a.v.resize(n); return n; }

#define input static
#define clrNONE 0
enum { INIT_SUCCEEDED = 0, INIT_FAILED = 1, INIT_PARAMETERS_INCORRECT = 32767 };
enum { FILE_READ = 1, FILE_WRITE = 2, FILE_TXT = 16, FILE_ANSI = 32, FILE_REWRITE = 512, INVALID_HANDLE = -1 };
enum { WHOLE_ARRAY = -1, CP_UTF8 = 65001, TIME_SECONDS = 4 };

// ---- the simulated terminal ---------------------------------------------------------------------------------
struct terminal_state
  {
   long long local = 0, server = 0;  // seconds
   long long ticks = 0;              // milliseconds since the start
   int timer = 0, error = 0;
   long long login = 0;
   bool market = true;               // ticks come: the server's clock moves
   bool tester = false;
   string broker_server, company, currency, shown;
   double balance = 0, equity = 0;
   std::filesystem::path files;
  };
inline terminal_state T;

//--- what the broker offers: a symbol that it no longer has is -1
inline int digits_of(const string &symbol)
  { return symbol == u"GONE"_s ? -1 : symbol == u"XAUUSD"_s ? 2 : symbol == u"USDJPY"_s || symbol == u"USDHUF"_s ? 3 : 5; }
inline double lot_of(const string &symbol) { return symbol == u"XAUUSD"_s ? 100 : 100000; }

// ---- functions ----------------------------------------------------------------------------------------------
inline int StringLen(const string &s) { return (int)s.u.size(); }
inline ushort StringGetCharacter(const string &s, int i) { return s.u.at(i); }
inline string StringSubstr(const string &s, int start, int n)
  { return start >= (int)s.u.size() ? string() : string(s.u.substr(start, n)); }
inline int StringFind(const string &s, const string &what)
  { size_t at = s.u.find(what.u); return at == std::u16string::npos ? -1 : (int)at; }
inline int StringReplace(string &s, const string &what, const string &by)
  {
   int n = 0;
   for(size_t at = 0; (at = s.u.find(what.u, at)) != std::u16string::npos; at += by.u.size(), n++)
      s.u.replace(at, what.u.size(), by.u);
   return n;
  }
inline bool StringToLower(string &s)
  { for(auto &c : s.u) if(c >= u'A' && c <= u'Z') c += 32; return true; }
inline double StringToDouble(const string &s) { return std::strtod(utf8(s).c_str(), nullptr); }
inline long long StringToInteger(const string &s) { return std::strtoll(utf8(s).c_str(), nullptr, 10); }
inline string IntegerToString(long long n) { return from_utf8(std::to_string(n)); }
inline string DoubleToString(double value, int digits)
  { char out[400]; std::snprintf(out, sizeof out, "%.*f", digits, value); return from_utf8(out); }
inline string TimeToString(datetime t, int) { return IntegerToString(t); }
inline int StringToCharArray(const string &s, mql_array<char> &out, int, int, int)
  { std::string bytes = utf8(s); out.v.assign(bytes.begin(), bytes.end()); out.v.push_back(0); return (int)out.v.size(); }
inline string CharArrayToString(mql_array<char> &in, int, int, int)
  { return from_utf8(std::string(in.v.begin(), in.v.end())); }

inline double MathMax(double a, double b) { return a > b ? a : b; }
inline double MathMin(double a, double b) { return a < b ? a : b; }
inline bool MathIsValidNumber(double v) { return std::isfinite(v); }
inline void MathSrand(int seed) { std::srand(seed); }
inline int MathRand() { return std::rand() % 32768; }

inline datetime TimeLocal() { return T.local; }
inline datetime TimeGMT() { return T.local; }
inline datetime TimeCurrent() { return T.server; }
inline uint GetTickCount() { return (uint)T.ticks; }
inline bool EventSetTimer(int seconds) { T.timer = seconds; return true; }
inline void EventKillTimer() { T.timer = 0; }
inline void ResetLastError() { T.error = 0; }
inline int GetLastError() { int e = T.error; T.error = 0; return e; }
inline void Comment(const string &s) { T.shown = s; }
inline void Print(const string &s) { std::fprintf(stderr, "%s\n", utf8(s).c_str()); }

// ---- files: under the terminal's own folder, as the sandbox of MQL4 ----------------------------------------
struct open_file { std::fstream stream; };
inline std::map<int, open_file> files_open;
inline std::filesystem::path file_path(const string &name)
  {
   std::string path = utf8(name);
   for(auto &c : path)
      if(c == '\\')
         c = '/';
   return T.files / path;
  }
inline int FileOpen(const string &name, int flags)
  {
   static int next = 1;
   auto path = file_path(name);
   open_file f;
   if(flags & FILE_WRITE)
      std::filesystem::create_directories(path.parent_path());
   f.stream.open(path, flags & FILE_WRITE ? std::ios::out | std::ios::trunc | std::ios::binary : std::ios::in | std::ios::binary);
   if(!f.stream.is_open())
      return INVALID_HANDLE;
   files_open[next] = std::move(f);
   return next++;
  }
inline string FileReadString(int handle)
  {
   std::string line;
   std::getline(files_open.at(handle).stream, line);
   if(!line.empty() && line.back() == '\r')
      line.pop_back();
   return from_utf8(line);
  }
inline uint FileWriteString(int handle, const string &s) { files_open.at(handle).stream << utf8(s); return (uint)s.u.size(); }
inline void FileClose(int handle) { files_open.erase(handle); }
inline bool FileMove(const string &from, int, const string &to, int)
  {
   std::error_code fault;
   std::filesystem::rename(file_path(from), file_path(to), fault);
   return !fault;
  }

// ---- the network: the test answers on the other end of the pipe --------------------------------------------
inline std::string hex(const std::string &s)
  {
   static const char *digits = "0123456789abcdef";
   std::string out = "-";
   for(unsigned char c : s)
      { out += digits[c >> 4]; out += digits[c & 15]; }
   return out;
  }
inline std::string unhex(const std::string &s)
  {
   std::string out;
   for(size_t i = 1; i + 1 < s.size(); i += 2)
      out += (char)std::stoi(s.substr(i, 2), nullptr, 16);
   return out;
  }
inline int WebRequest(const string &method, const string &url, const string &headers, int, mql_array<char> &data,
                      mql_array<char> &result, string &result_headers)
  {
   std::string body(data.v.begin(), data.v.end());
   std::cout << "request " << hex(utf8(method)) << ' ' << hex(utf8(url)) << ' ' << hex(utf8(headers)) << ' ' << hex(body)
             << std::endl;
   std::string line, head, text;
   std::getline(std::cin, line);
   std::istringstream in(line);
   int status = 0;
   in >> status >> T.error >> head >> text;
   std::string bytes = unhex(text);
   result.v.assign(bytes.begin(), bytes.end());
   result_headers = from_utf8(unhex(head));
   return status;
  }
