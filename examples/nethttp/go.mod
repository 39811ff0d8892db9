module example.com/conversations

go 1.22
