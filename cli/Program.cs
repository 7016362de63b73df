System.Console.WriteLine("lorta");
