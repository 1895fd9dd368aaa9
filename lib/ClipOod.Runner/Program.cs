Console.WriteLine("clipood");
