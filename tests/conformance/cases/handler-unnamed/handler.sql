SELECT event() AS taken;
