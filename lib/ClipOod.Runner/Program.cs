using System.Text;
using ClipOod.Runner.Commands;

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return await ClipOodCommand.InvokeAsync(args, Console.Out, Console.Error);
