// The loop of the simulated terminal: one command a line, "done" after each. Fields are tab-separated.
#pragma once

int main(int, char **argv)
  {
   T.files = argv[1];
   Cle = from_utf8(argv[2]);
   Adresse = from_utf8(argv[3]);
   std::string line;
   while(std::getline(std::cin, line))
     {
      std::vector<std::string> f;
      std::istringstream in(line);
      for(std::string part; std::getline(in, part, '\t');)
         f.push_back(part);
      const std::string &name = f.at(0);
      if(name == "account")
        {
         T.login = std::stoll(f.at(1));
         T.broker_server = from_utf8(f.at(2));
         T.company = from_utf8(f.at(3));
         T.currency = from_utf8(f.at(4));
         T.balance = T.equity = std::stod(f.at(5));
        }
      else if(name == "clock")
        { T.local = std::stoll(f.at(1)); T.server = std::stoll(f.at(2)); }
      else if(name == "market")
         T.market = f.at(1) == "1";
      else if(name == "tester")
         T.tester = true;
      else if(platform_command(f))
        { }
      else if(name == "init")
         std::cout << "init " << OnInit() << '\n';
      else if(name == "deinit")
         OnDeinit(0);
      else if(name == "shown")
         std::cout << "shown " << hex(utf8(T.shown)) << '\n';
      else if(name == "advance")
        {
         for(int left = std::stoi(f.at(1)); left > 0; left--)
           {
            T.ticks += 1000;
            T.local += 1;
            T.server += T.market;
            if(T.timer > 0 && T.ticks / 1000 % T.timer == 0)
               OnTimer();
           }
        }
      else
        { std::fprintf(stderr, "unknown command %s\n", name.c_str()); return 2; }
      std::cout << "done" << std::endl;
     }
   return 0;
  }
